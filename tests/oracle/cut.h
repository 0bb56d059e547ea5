/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case cut down to one query: its registers, and as memory only the descriptors that the model
 * reads for it.
 */
#ifndef NW_ORACLE_CUT_H
#define NW_ORACLE_CUT_H

#include "case/reader.h"

#define CUT_READS 128
#define CUT_LINES 16

/* Lines of the case that say what machine it is: memory, width of addresses, capabilities. */
struct cut_machine {
  char *line[CUT_LINES];
  size_t count;
};

/** Keeps the line that `reader` has just read if it is one of these. */
void cut_note_line(struct cut_machine *machine, const struct nw_case_reader *reader);
void cut_machine_free(struct cut_machine *machine);

/* Descriptor reads of one query, each address once: as it was before the query. */
struct cut_reads {
  struct {
    uint64_t address, data;
    unsigned size;
    bool abort;
  } read[CUT_READS];
  size_t count;
};

void cut_note_read(struct cut_reads *reads, const struct nw_step *step,
                   const struct nw_answer *answer);

/**
 * Writes FOLDER/cut.case and its images for the query that `reader` has just read, with
 * comments that say what was answered. False when they cannot be written.
 */
bool cut_write(const char *folder, const struct nw_case_reader *reader,
               const struct cut_machine *lines, const struct cut_reads *reads, const char *model,
               const char *machine);

#endif
