/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk explain -m MACHINE -w TRACE --at RECORD. */
#ifndef NESTWALK_CLI_EXPLAIN_TRACE_H
#define NESTWALK_CLI_EXPLAIN_TRACE_H

#include "cli/simulation.h"
#include "explain/grid.h"

struct nw_cli_explained_record {
  struct nw_cli_simulation *simulation; /* open, with one trace */
  enum nw_mode mode;
  uint32_t stream;
  uint64_t word;              /* of the stream: where the record begins */
  FILE *text;                 /* or NULL */
  struct nw_drawing *drawing; /* or NULL */
};

/* Replays the trace up to the record, then shows each translation that its access takes, with what
 * is in TLBs and caches by then. The exit status (a message has been printed unless it is 0). */
int nw_cli_explain_record(const struct nw_cli_explained_record *wanted);

#endif
