/* SPDX-License-Identifier: Apache-2.0 */
#include "support/trace_script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/writer.h"

#define WORDS 8

struct verb {
  const char *name;
  int operands;
  int kind;  /* enum nw_rec_kind */
  int event; /* enum nw_event, or 0 */
};

static const struct verb verbs[] = {
    {"block", 2, NW_REC_BLOCK, 0},
    {"load", 2, NW_REC_LOAD, 0},
    {"store", 2, NW_REC_STORE, 0},
    {"syscall", 1, NW_REC_SYSCALL, 0},
    {"map", 4, NW_REC_EVENT, NW_EVENT_MAP},
    {"unmap", 2, NW_REC_EVENT, NW_EVENT_UNMAP},
    {"protect", 3, NW_REC_EVENT, NW_EVENT_PROTECT},
    {"brk", 2, NW_REC_EVENT, NW_EVENT_BRK},
    {"remap", 4, NW_REC_EVENT, NW_EVENT_REMAP},
    {"fork", 3, NW_REC_EVENT, NW_EVENT_FORK},
    {"exec", 1, NW_REC_EVENT, NW_EVENT_EXEC},
    {"exit", 2, NW_REC_EVENT, NW_EVENT_EXIT},
    {"content", 4, NW_REC_EVENT, NW_EVENT_CONTENT},
};

static const struct verb *find_verb(const char *name) {
  for (size_t i = 0; name && i < sizeof verbs / sizeof verbs[0]; i++) {
    if (!strcmp(verbs[i].name, name))
      return &verbs[i];
  }
  return NULL;
}

static bool add_stream(struct nw_trace_writer *writer, char **word) {
  struct nw_trace_stream stream = {
      .parent = !word[1] || !strcmp(word[1], "-") ? NW_TRACE_NO_STREAM
                                                  : (uint32_t)strtoul(word[1], NULL, 0),
      .flags = word[2] ? (uint32_t)strtoul(word[2], NULL, 0) : 0,
      .program = "script",
  };
  uint32_t id;
  return nw_trace_writer_add_stream(writer, &stream, &id, NULL) == NW_TRACE_OK;
}

static bool add_record(struct nw_trace_writer *writer, char **word, int words) {
  const struct verb *verb = find_verb(word[1]);
  if (!verb || words != 2 + verb->operands)
    return false;
  uint32_t stream = (uint32_t)strtoul(word[0], NULL, 0);
  uint64_t operand[WORDS] = {0};
  for (int i = 0; i < verb->operands; i++)
    operand[i] = strtoull(word[2 + i], NULL, 0);
  if (verb->event)
    return nw_trace_write_event(writer, stream, (enum nw_event)verb->event, operand,
                                (size_t)verb->operands, NULL) == NW_TRACE_OK;
  uint64_t record = nw_rec_make((enum nw_rec_kind)verb->kind, (uint32_t)operand[1], operand[0]);
  return nw_trace_write(writer, stream, record, NULL) == NW_TRACE_OK;
}

static bool add_line(struct nw_trace_writer *writer, char *line) {
  char *word[WORDS + 2] = {NULL}, *state = NULL;
  int words = 0;
  line[strcspn(line, "#\n")] = '\0';
  for (char *next = strtok_r(line, " \t", &state); next && words < WORDS;
       next = strtok_r(NULL, " \t", &state))
    word[words++] = next;
  if (!words)
    return true;
  return !strcmp(word[0], "stream") ? add_stream(writer, word) : add_record(writer, word, words);
}

bool trace_script_write(FILE *script, const char *architecture, const char *path) {
  static const char *const argv[] = {"script"};
  struct nw_trace_header header = {.architecture = architecture,
                                   .page_size = 4096,
                                   .target = "script",
                                   .recorder = "trace_script",
                                   .argc = 1,
                                   .argv = argv};
  struct nw_trace_writer *writer;
  struct nw_trace_error error;
  if (nw_trace_writer_open(path, &header, &writer, &error) != NW_TRACE_OK) {
    fprintf(stderr, "%s\n", error.message);
    return false;
  }
  char line[256];
  for (unsigned number = 1; fgets(line, sizeof line, script); number++) {
    if (!add_line(writer, line)) {
      fprintf(stderr, "trace script: line %u is wrong\n", number);
      nw_trace_writer_abandon(writer);
      return false;
    }
  }
  if (nw_trace_writer_close(writer, 0, &error) != NW_TRACE_OK) {
    fprintf(stderr, "%s\n", error.message);
    return false;
  }
  return true;
}
