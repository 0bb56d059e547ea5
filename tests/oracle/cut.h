/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case cut down to one query: its registers, and as memory only the descriptors that the model
 * reads for it.
 */
#ifndef NW_ORACLE_CUT_H
#define NW_ORACLE_CUT_H

#include "case/reader.h"

#define CUT_READS 128

/* Descriptor reads of one query. */
struct cut_reads {
  struct {
    uint64_t address, data;
    unsigned size;
    bool abort;
  } read[CUT_READS];
  size_t count;
};

/**
 * Writes FOLDER/cut.case and FOLDER/cut.bin for the query that `reader` has just read, with
 * comments that say what was answered. False when they cannot be written.
 */
bool cut_write(const char *folder, const struct nw_case_reader *reader,
               const struct cut_reads *reads, const char *model, const char *machine);

#endif
