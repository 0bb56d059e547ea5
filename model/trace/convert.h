/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of other tools to our own format, and back where theirs can hold what ours has. */
#ifndef NW_TRACE_CONVERT_H
#define NW_TRACE_CONVERT_H

#include <stdio.h>

#include "trace/foreign.h"

struct nw_import {
  const char *architecture; /* of the program: their traces do not say */
  const struct nw_foreign_format *format;
  struct nw_trace_header header; /* recorder, argc and argv are used */
};

/* Writes the trace `path`. When the source is damaged, everything before the damage is in the
 * trace, which is marked as interrupted; *damage then has the error, and NW_TRACE_OK is returned.
 * *damage's result is NW_TRACE_OK otherwise. *references gets how many there are. */
enum nw_trace_result nw_trace_import(struct nw_input *source, const struct nw_import *import,
                                     const char *path, uint64_t *references,
                                     struct nw_trace_error *damage, struct nw_trace_error *error);

/* What their formats have no place for. */
struct nw_export_losses {
  uint64_t syscalls, events;
};

/* Writes a stream of a trace (NW_TRACE_NO_STREAM: all) as `format` has it. Lengths of instructions
 * are not in our traces: those of a run are laid 4 bytes apart, or as close as keeps them in their
 * page. A trace that the format cannot hold is NW_TRACE_LIMIT. */
enum nw_trace_result nw_trace_export(struct nw_trace *trace, uint32_t stream,
                                     const struct nw_foreign_format *format, FILE *out,
                                     struct nw_export_losses *losses, struct nw_trace_error *error);

#endif
