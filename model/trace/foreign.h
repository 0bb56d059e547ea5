/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of other tools. A reader goes through a source once and hands on what it finds; a format
 * is a row of a table.
 */
#ifndef NW_TRACE_FOREIGN_H
#define NW_TRACE_FOREIGN_H

#include "trace/source.h"

/* What readers hand on. Threads are numbered as the trace numbers them. Each returns false to stop. */
struct nw_foreign_sink {
  void *context;
  /* One instruction. `bytes`: its length; 0: not known. */
  bool (*instruction)(void *context, uint64_t va, uint32_t bytes);
  /* A load or store of the instruction before. `bytes`: its size; 0: not known. */
  bool (*data)(void *context, bool store, uint64_t va, uint32_t bytes);
  /* What follows is of this thread. */
  bool (*thread)(void *context, uint64_t process, uint64_t thread);
};

struct nw_foreign_format {
  const char *name;
  const char *what; /* for help */
  /* Whether the first bytes (`size` of them, at most NW_FOREIGN_PEEK) look like it. */
  bool (*detect)(const uint8_t *bytes, size_t size);
  /* NW_TRACE_OK at a proper end, and when the sink wanted to stop. */
  enum nw_trace_result (*read)(struct nw_input *source, const struct nw_foreign_sink *sink,
                               struct nw_trace_error *error);
};

#define NW_FOREIGN_PEEK 4096u

extern const struct nw_foreign_format nw_foreign_formats[];
extern const size_t nw_foreign_format_count;

/* By name; NULL when there is none. */
const struct nw_foreign_format *nw_foreign_find(const char *name);
/* By the source's first bytes, or NULL. */
const struct nw_foreign_format *nw_foreign_detect(struct nw_input *source);

/* The formats, each in its own file. */
bool nw_lackey_detect(const uint8_t *bytes, size_t size);
enum nw_trace_result nw_lackey_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                    struct nw_trace_error *error);
bool nw_champsim_detect(const uint8_t *bytes, size_t size);
enum nw_trace_result nw_champsim_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                      struct nw_trace_error *error);
bool nw_cloudsuite_detect(const uint8_t *bytes, size_t size);
enum nw_trace_result nw_cloudsuite_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                        struct nw_trace_error *error);
bool nw_drmemtrace_detect(const uint8_t *bytes, size_t size);
enum nw_trace_result nw_drmemtrace_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                        struct nw_trace_error *error);

/* A record of `size` bytes, or a record cut short: an error with its offset. *bytes is NULL at the
 * end. */
enum nw_trace_result nw_foreign_record(struct nw_input *source, size_t size, const uint8_t **bytes,
                                       struct nw_trace_error *error);

#endif
