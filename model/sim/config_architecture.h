/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine file may say, and what it need not, by its architecture. */
#ifndef NW_SIM_CONFIG_ARCHITECTURE_H
#define NW_SIM_CONFIG_ARCHITECTURE_H

#include "sim/config_schema.h"

/* Of a tree whose keys and values have been checked one by one: the format is one of the
 * architecture's, and no key is another's. */
bool nw_config_fits_architecture(const struct nw_yaml *tree, struct nw_config_error *error);

/* Puts in the defaults that depend on the architecture. */
bool nw_config_architecture_defaults(struct nw_yaml *tree, struct nw_config_error *error);

/* Checks what the machine has against what its architecture can do. */
bool nw_config_possible_on_architecture(const struct nw_yaml *tree,
                                        const struct nw_machine_config *config,
                                        struct nw_config_error *error);

#endif
