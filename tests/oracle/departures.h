/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the machine is known to depart from the architecture's manual. The list is a text file:
 *
 *   departure NAME
 *   section ...             of the manual, which the model follows
 *   case FILE               a minimal case, beside the list
 *   model FIELD=A|B ...     the model's answer has these fields, each with one of the values
 *   regime short|lpae       and the regime has these descriptors
 *   access fetch            and the query is about execution
 *   domain none|client|manager  and DACR says this of the domain that the fault is in
 *   machine FIELD=VALUE ... the machine then answers a fault with these fields; "same" as a value
 *                           is the model's; all fields "upd" have to be the model's
 *   accessed leaf           besides what the model does, it sets the accessed flag of the entry that
 *                           was read last
 *   kind same               such an answer counts as one of its kind that was seen
 *   again NAME MASK         or: the machine answers as the model does with these bits of the
 *                           register clear
 *   quirk NAME              or: the answer is that of ept/quirks.h, where this quirk shows
 */
#ifndef NW_ORACLE_DEPARTURES_H
#define NW_ORACLE_DEPARTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nestwalk/regime.h>

#include "ept/quirks.h"
#include "fields.h"

struct departure {
  char name[64];
  struct fields model;
  bool short_only, lpae_only, fetch_only;
  bool domain_matters;
  unsigned domain_access; /* two bits of DACR; 0 stands for 2, too */
  struct fields machine;
  bool accessed_leaf;
  bool same_kind;
  bool again;
  unsigned again_register;
  uint64_t again_mask;
  bool quirky;
  enum quirk quirk;
  uint64_t count; /* the caller's */
};

#define DEPARTURES 32

struct departures {
  struct departure departure[DEPARTURES];
  size_t count;
};

/** Reads the list; false with a message on standard error. */
bool departures_read(struct departures *departures, const char *path);

/** Whether a fault of the model's is one that the departure is about. `domain` is -1 where the walk
 * met none. */
bool departure_applies(const struct departure *departure, const struct nw_regime *regime,
                       const struct nw_fault *fault, int domain, const struct fields *model);

/** Whether the machine's answer is what the departure says. */
bool departure_explains(const struct departure *departure, const struct fields *model,
                        const struct fields *machine);

#endif
