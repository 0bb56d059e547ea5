/* SPDX-License-Identifier: Apache-2.0 */
/* The words that machine files, statistics and the command line share for the machine's enums. */
#ifndef NW_SIM_NAMES_H
#define NW_SIM_NAMES_H

#include "system/machine.h"

extern const char *const nw_mode_names[NW_MODES];
/* The architecture that a machine of that format, and any trace for it, is of. */
extern const char *const nw_guest_architecture_names[NW_GUEST_FORMATS];
extern const char *const nw_exit_cause_names[NW_EXIT_CAUSES];
extern const char *const nw_shadow_step_names[NW_SHADOW_STEPS];
extern const char *const nw_fault_type_names[NW_FAULT_TYPES]; /* [NW_FAULT_NONE] is NULL */
extern const char *const nw_requester_names[NW_REQUESTERS];

#endif
