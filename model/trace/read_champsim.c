/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ChampSim's traces: one record for each instruction, no header. Where in a record what lies is a
 * table; an address of zero is an empty slot. Sizes are not in the trace.
 */
#include "trace/foreign.h"
#include "trace/format.h"

struct layout {
  size_t bytes;
  size_t stores, store_count; /* offset and number of the destination addresses */
  size_t loads, load_count;
};

static const struct layout champsim = {64, 16, 2, 32, 4};
static const struct layout cloudsuite = {96, 24, 4, 56, 4};

#define BRANCH 8u /* offsets of two bytes that are 0 or 1 in both layouts */
#define TAKEN 9u

/* A branch that is taken is a branch. */
static bool possible(const uint8_t *record) {
  return record[BRANCH] <= 1 && record[TAKEN] <= record[BRANCH] && nw_get64(record) != 0;
}

/* The records there are, at least one of them. */
static bool all_possible(const uint8_t *bytes, size_t size, const struct layout *layout) {
  size_t count = size / layout->bytes;
  for (size_t i = 0; i < count; i++)
    if (!possible(bytes + i * layout->bytes))
      return false;
  return count > 0;
}

bool nw_champsim_detect(const uint8_t *bytes, size_t size) {
  return all_possible(bytes, size, &champsim);
}

bool nw_cloudsuite_detect(const uint8_t *bytes, size_t size) {
  return all_possible(bytes, size, &cloudsuite);
}

static bool hand_on(const uint8_t *record, const struct layout *layout,
                    const struct nw_foreign_sink *sink) {
  if (!sink->instruction(sink->context, nw_get64(record), 0))
    return false;
  for (size_t i = 0; i < layout->load_count; i++) {
    uint64_t va = nw_get64(record + layout->loads + 8 * i);
    if (va != 0 && !sink->data(sink->context, false, va, 0))
      return false;
  }
  for (size_t i = 0; i < layout->store_count; i++) {
    uint64_t va = nw_get64(record + layout->stores + 8 * i);
    if (va != 0 && !sink->data(sink->context, true, va, 0))
      return false;
  }
  return true;
}

static enum nw_trace_result read_records(struct nw_input *source, const struct layout *layout,
                                         const struct nw_foreign_sink *sink,
                                         struct nw_trace_error *error) {
  for (;;) {
    const uint8_t *record;
    enum nw_trace_result result = nw_foreign_record(source, layout->bytes, &record, error);
    if (result != NW_TRACE_OK || record == NULL)
      return result;
    unsigned long long at = nw_source_offset(source);
    if (!possible(record))
      return nw_trace_fail(
          error, NW_TRACE_DAMAGED, at,
          "%s: offset %llu%s: found an instruction at 0x%llx with is_branch %u and "
          "branch_taken %u, expected an address and 0 or 1",
          nw_source_path(source), at, nw_source_unpacked(source),
          (unsigned long long)nw_get64(record), record[BRANCH], record[TAKEN]);
    if (!hand_on(record, layout, sink))
      return NW_TRACE_OK;
    nw_source_take(source, layout->bytes);
  }
}

enum nw_trace_result nw_champsim_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                      struct nw_trace_error *error) {
  return read_records(source, &champsim, sink, error);
}

enum nw_trace_result nw_cloudsuite_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                        struct nw_trace_error *error) {
  return read_records(source, &cloudsuite, sink, error);
}
