/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of a run: a trace and a machine file, replayed by the same loop as `nestwalk run`, and
 * the same statistics afterwards. What the loop calls as machine is the platform's (software.h).
 */
#ifndef NESTWALK_TB_REPLAY_H
#define NESTWALK_TB_REPLAY_H

#ifdef __cplusplus
extern "C" {
#endif

#include "system/machine.h"

struct nw_replay; /* opaque */

#define NW_REPLAY_ERROR 768

struct nw_replay_request {
  const char *machine; /* a name or a path, as the command takes it */
  const char *trace;
  const char *const *sets; /* "path.to.key=VALUE" */
  size_t set_count;
  uint64_t limit; /* references; 0: all */
  enum nw_mode mode;
};

/** Reads the machine file and opens the trace. NULL, with a sentence in `error`, when one of them
 * is bad. The request's strings have to outlive it. */
struct nw_replay *nw_replay_open(const struct nw_replay_request *request,
                                 char error[NW_REPLAY_ERROR]);
void nw_replay_close(struct nw_replay *replay);

/** The machine file's contents; the caller may change them before the run. */
struct nw_machine_config *nw_replay_config(struct nw_replay *replay);

/** Replays the trace. False, with a sentence in `error`, when it could not be replayed. */
bool nw_replay_run(struct nw_replay *replay, char error[NW_REPLAY_ERROR]);

/* What has been counted. */
bool nw_replay_count(const struct nw_replay *replay, const char *name, uint64_t *count);
uint64_t nw_replay_cycles(const struct nw_replay *replay);
uint64_t nw_replay_references(const struct nw_replay *replay);

/** Corrects what the platform has counted in place of the software: descriptor reads that went to
 * memory. */
void nw_replay_set_walker_reads(struct nw_replay *replay, uint64_t reads);

/** Writes stats.txt and stats.json into `folder`. */
bool nw_replay_save(const struct nw_replay *replay, const char *folder,
                    char error[NW_REPLAY_ERROR]);

/** A mode by its name; false when there is none or the platform cannot run it. */
bool nw_replay_mode(const char *name, enum nw_mode *mode);

/* model/system's nw_machine_create(), by the name that software_mmu.h gives it: the run loop calls
 * one that tells the platform of the machine, too. */
struct nw_machine *nw_software_machine_create(const struct nw_machine_config *config,
                                              enum nw_mode mode, char *error, size_t error_size);
void nw_software_booted(struct nw_machine *machine); /* NULL: it could not be made */

#ifdef __cplusplus
}
#endif
#endif
