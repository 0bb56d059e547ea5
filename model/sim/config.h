/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine files.
 *
 * Required keys: architecture, format, core.clock_mhz, core.base_cpi, memory.dram_latency, and for
 * what is described at all, what describes it (entries and ways of a TLB that has entries; all of a
 * cache but its policy, lru, and what it serves, everything). Anything else has a default: a TLB or
 * walk cache not named is absent, a price or cost not named is 0, one walker with the usual cycles
 * per step, 1 GiB of guest memory, no large pages, a quantum of 1000000 instructions, a
 * de-privileged kernel under shadow paging on ARMv7, 4 KB stage-2 pages, seed 1.
 */
#ifndef NW_SIM_CONFIG_H
#define NW_SIM_CONFIG_H

#include "sim/yaml_tree.h"
#include "system/machine.h"

/* Reads the machine file at `path` with `set_count` overrides ("path.to.key=VALUE"), the later ones
 * on top. False, with a line that says where, what was found and what was expected, when it is not
 * a possible machine. */
bool nw_config_load(const char *path, const char *const *sets, size_t set_count,
                    struct nw_machine_config *config, struct nw_config_error *error);
/* The same; `text`, to be freed, gets the machine as it came out, overrides and defaults included: a
 * machine file that gives the same machine. */
bool nw_config_load_text(const char *path, const char *const *sets, size_t set_count,
                         struct nw_machine_config *config, char **text,
                         struct nw_config_error *error);
/* The same from memory; `source` is what messages call it. */
bool nw_config_parse(const char *source, const char *text, size_t length, const char *const *sets,
                     size_t set_count, struct nw_machine_config *config,
                     struct nw_config_error *error);

/* The path, to be freed, of a machine given as a path (with a slash, or ending in .yaml) or by the
 * name of a file in one of `folders` (NULL ends them). NULL when there is none; the message lists
 * those that there are. */
char *nw_config_find(const char *machine, const char *const *folders,
                     struct nw_config_error *error);

#endif
