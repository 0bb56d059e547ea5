/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/foreign.h"

#include <string.h>

#include "trace/format.h"

/* In the order in which they are tried: those that say what they are before those that do not. */
const struct nw_foreign_format nw_foreign_formats[] = {
    {"lackey", "Valgrind's lackey, --trace-mem=yes", nw_lackey_detect, nw_lackey_read},
    {"drmemtrace", "DynamoRIO's memtrace, post-processed", nw_drmemtrace_detect,
     nw_drmemtrace_read},
    {"champsim", "ChampSim, 64 bytes an instruction", nw_champsim_detect, nw_champsim_read},
    {"cloudsuite", "ChampSim's CloudSuite variant, 96 bytes an instruction", nw_cloudsuite_detect,
     nw_cloudsuite_read},
};
const size_t nw_foreign_format_count = sizeof nw_foreign_formats / sizeof nw_foreign_formats[0];

const struct nw_foreign_format *nw_foreign_find(const char *name) {
  for (size_t i = 0; i < nw_foreign_format_count; i++)
    if (strcmp(nw_foreign_formats[i].name, name) == 0)
      return &nw_foreign_formats[i];
  return NULL;
}

const struct nw_foreign_format *nw_foreign_detect(struct nw_input *source) {
  const uint8_t *bytes;
  size_t size;
  nw_source_peek(source, NW_FOREIGN_PEEK, &bytes, &size, NULL);
  for (size_t i = 0; i < nw_foreign_format_count; i++)
    if (nw_foreign_formats[i].detect(bytes, size))
      return &nw_foreign_formats[i];
  return NULL;
}

enum nw_trace_result nw_foreign_record(struct nw_input *source, size_t size, const uint8_t **bytes,
                                       struct nw_trace_error *error) {
  size_t got;
  enum nw_trace_result result = nw_source_peek(source, size, bytes, &got, error);
  if (result != NW_TRACE_OK)
    return result;
  if (got == size)
    return NW_TRACE_OK;
  *bytes = NULL;
  if (got == 0)
    return NW_TRACE_OK;
  unsigned long long at = nw_source_offset(source);
  return nw_trace_fail(error, NW_TRACE_TRUNCATED, at,
                       "%s: offset %llu%s: found %zu bytes, expected a record of %zu",
                       nw_source_path(source), at, nw_source_unpacked(source), got, size);
}
