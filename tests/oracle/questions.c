/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case file's grammar is read here once more, apart from the model's reader, so that the two
 * sides of a comparison share nothing. The state of the machine follows the file: a register or a
 * piece of memory is sent when its line is met, and holds until another line sets it.
 */
#include "questions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define WORDS 4

enum walk { WALK_BOTH, WALK_STAGE1, WALK_STAGE2 };

struct range {
  uint64_t first, last;
};

struct reader {
  struct oracle_questions *questions;
  const char *path;
  const char *slash; /* after the last one in `path` */
  size_t number;     /* of the line */
  bool all;          /* ask even what may stop the machine */
  bool regime_given, lpae, stage2;
  enum walk walk;
  uint64_t reg[ORACLE_REGISTERS];
  bool given[ORACLE_REGISTERS];
  uint64_t sent[ORACLE_REGISTERS];
  size_t queries; /* index of the word that counts the queries of the command in hand; 0: none */
  struct range *written;
  size_t ranges, range_room;
};

static const struct {
  const char *name;
  enum oracle_register reg;
  bool wide;
} registers[] = {
    {"HCR", ORACLE_HCR, false},
    {"VTCR", ORACLE_VTCR, false},
    {"VTTBR", ORACLE_VTTBR, true},
    {"TTBCR", ORACLE_TTBCR, false},
    {"TTBR0", ORACLE_TTBR0, true},
    {"TTBR1", ORACLE_TTBR1, true},
    {"DACR", ORACLE_DACR, false},
    {"SCTLR", ORACLE_SCTLR, false},
    {"PRRR", ORACLE_PRRR_MAIR0, false},
    {"MAIR0", ORACLE_PRRR_MAIR0, false},
    {"NMRR", ORACLE_NMRR_MAIR1, false},
    {"MAIR1", ORACLE_NMRR_MAIR1, false},
    {"CONTEXTIDR", ORACLE_CONTEXTIDR, false},
};

#define HCR_VM 1u
#define HCR_DC (1u << 12)
#define SCTLR_M 1u
#define SCTLR_VECTORS (1u << 13 | 1u << 24 | 1u << 30) /* V, VE, TE */
#define TTBCR_EAE (1u << 31)

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *reader, const char *format,
                                                         ...) {
  struct oracle_questions *questions = reader->questions;
  va_list arguments;
  int used = snprintf(questions->error, sizeof(questions->error), "%s:%zu: ", reader->path,
                      reader->number);
  va_start(arguments, format);
  vsnprintf(questions->error + used, sizeof(questions->error) - (size_t)used, format, arguments);
  va_end(arguments);
  return false;
}

/* Room for one more of `size` bytes in a growing array; ends the program when there is none. */
static void *grow(void *array, size_t count, size_t *room, size_t size) {
  if (count < *room)
    return array;
  *room = *room * 2 + 64;
  array = realloc(array, *room * size);
  if (!array) {
    fputs("nestwalk-oracle: out of memory\n", stderr);
    exit(1);
  }
  return array;
}

/* -- commands ---------------------------------------------------------------------------------- */

static void put(struct reader *reader, uint32_t word) {
  struct oracle_questions *q = reader->questions;
  q->word = grow(q->word, q->words, &q->word_room, sizeof(*q->word));
  q->word[q->words++] = word;
}

static void begin(struct reader *reader, enum oracle_command command) {
  reader->queries = 0;
  put(reader, command);
}

static void send_register(struct reader *reader, enum oracle_register reg, uint64_t value) {
  if (reader->sent[reg] == value)
    return;
  begin(reader, ORACLE_REGISTER);
  put(reader, reg);
  put(reader, (uint32_t)value);
  put(reader, (uint32_t)(value >> 32));
  reader->sent[reg] = value;
}

/* `bytes` bytes of `data`, or zeros where that is NULL. */
static void send_memory(struct reader *reader, uint64_t address, const unsigned char *data,
                        size_t bytes) {
  begin(reader, ORACLE_MEMORY);
  put(reader, (uint32_t)address);
  put(reader, (uint32_t)(address >> 32));
  put(reader, (uint32_t)bytes);
  for (size_t at = 0; at < bytes; at += 4) {
    uint32_t word = 0;
    for (size_t i = 0; data && i < 4 && at + i < bytes; i++)
      word |= (uint32_t)data[at + i] << 8 * i;
    put(reader, word);
  }
}

/* -- words ------------------------------------------------------------------------------------- */

static bool number(const char *text, uint64_t *value) {
  char *end;
  int base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
  if (text[0] < '0' || text[0] > '9')
    return false;
  errno = 0;
  *value = strtoull(text, &end, base);
  return !errno && *end == '\0' && end != text;
}

static bool read_number(struct reader *reader, const char *text, uint64_t *value) {
  return number(text, value) || refuse(reader, "found '%s', expected a number", text);
}

static bool read_range(struct reader *reader, char *text, struct range *range) {
  char *dash = strchr(text, '-');
  if (!dash)
    return refuse(reader, "found '%s', expected A-B", text);
  *dash = '\0';
  if (!read_number(reader, text, &range->first) || !read_number(reader, dash + 1, &range->last))
    return false;
  return range->first <= range->last || refuse(reader, "found a range that ends before it begins");
}

/* -- items ------------------------------------------------------------------------------------- */

static bool item_format(struct reader *reader, char **word) {
  return strcmp(word[1], "1") == 0 || refuse(reader, "found format '%s', expected 1", word[1]);
}

static bool item_regime(struct reader *reader, char **word) {
  static const char *const names[] = {"armv7-short", "armv7-lpae", "armv7-short+s2",
                                      "armv7-lpae+s2"};
  for (unsigned i = 0; i < 4; i++) {
    if (strcmp(word[1], names[i]) != 0)
      continue;
    reader->lpae = i & 1;
    reader->stage2 = i & 2;
    reader->regime_given = true;
    return true;
  }
  return refuse(reader, "found regime '%s', expected one of ARMv7", word[1]);
}

static bool item_reg(struct reader *reader, char **word) {
  uint64_t value = 0;
  if (!read_number(reader, word[2], &value))
    return false;
  for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
    if (strcmp(word[1], registers[i].name) != 0)
      continue;
    if (!registers[i].wide && value > UINT32_MAX)
      return refuse(reader, "found 0x%" PRIx64 " for %s, expected at most 32 bits", value, word[1]);
    reader->reg[registers[i].reg] = value;
    reader->given[registers[i].reg] = true;
    return true;
  }
  return refuse(reader, "found '%s', expected a register of ARMv7's", word[1]);
}

static bool item_walk(struct reader *reader, char **word) {
  static const char *const names[] = {"s12", "s1", "s2"};
  for (unsigned i = 0; i < 3; i++) {
    if (strcmp(word[1], names[i]) == 0) {
      reader->walk = (enum walk)i;
      return true;
    }
  }
  return refuse(reader, "found '%s', expected s1, s2 or s12", word[1]);
}

static bool within(struct range range, uint64_t first, uint64_t last) {
  return range.first >= first && range.last <= last;
}

static bool item_mem(struct reader *reader, char **word) {
  char *at = strrchr(word[1], '@');
  uint64_t address;
  if (!at)
    return refuse(reader, "found '%s', expected FILE@ADDR", word[1]);
  *at = '\0';
  if (!read_number(reader, at + 1, &address))
    return false;
  char name[4096];
  snprintf(name, sizeof(name), "%.*s%s",
           word[1][0] == '/' ? 0 : (int)(reader->slash - reader->path), reader->path, word[1]);
  FILE *file = fopen(name, "rb");
  if (!file)
    return refuse(reader, "cannot read '%s': %s", name, strerror(errno));
  unsigned char *data = NULL;
  size_t bytes = 0, room = 0, got;
  do {
    room = bytes + (1 << 18);
    data = realloc(data, room);
    got = data ? fread(data + bytes, 1, room - bytes, file) : 0;
    bytes += got;
  } while (got);
  fclose(file);
  if (bytes) {
    struct range range = {address, address + bytes - 1};
    if (!within(range, ORACLE_RAM_FIRST, ORACLE_RAM_LAST)) {
      free(data);
      return refuse(reader, "memory at 0x%" PRIx64 ": this machine's is from 0x%llx to 0x%llx",
                    address, ORACLE_RAM_FIRST, ORACLE_RAM_LAST);
    }
    send_memory(reader, address, data, bytes);
    reader->written =
        grow(reader->written, reader->ranges, &reader->range_room, sizeof(*reader->written));
    reader->written[reader->ranges++] = range;
  }
  free(data);
  return true;
}

/* The machine's memory is 0 where nothing was put. */
static bool item_ram(struct reader *reader, char **word) {
  struct range range;
  if (!read_range(reader, word[1], &range))
    return false;
  if (!within(range, ORACLE_RAM_FIRST, ORACLE_RAM_LAST))
    return refuse(reader, "memory at 0x%" PRIx64 ": this machine's is from 0x%llx to 0x%llx",
                  range.first, ORACLE_RAM_FIRST, ORACLE_RAM_LAST);
  for (size_t i = 0; i < reader->ranges; i++) {
    struct range old = reader->written[i];
    uint64_t first = old.first > range.first ? old.first : range.first;
    uint64_t last = old.last < range.last ? old.last : range.last;
    if (first <= last)
      send_memory(reader, first, NULL, (size_t)(last - first + 1));
  }
  return true;
}

static bool item_nomem(struct reader *reader, char **word) {
  struct range range;
  if (!read_range(reader, word[1], &range))
    return false;
  return within(range, ORACLE_LOW_HOLE_FIRST, ORACLE_LOW_HOLE_LAST) ||
         within(range, ORACLE_HIGH_HOLE_FIRST, ORACLE_HIGH_HOLE_LAST) ||
         refuse(reader,
                "found a hole at 0x%" PRIx64 ": those of this machine are 0x%llx-0x%llx and "
                "0x%llx-0x%llx",
                range.first, ORACLE_LOW_HOLE_FIRST, ORACLE_LOW_HOLE_LAST, ORACLE_HIGH_HOLE_FIRST,
                ORACLE_HIGH_HOLE_LAST);
}

static bool item_hint(struct reader *reader, char **word) {
  (void)reader;
  (void)word;
  return true;
}

/* -- queries ----------------------------------------------------------------------------------- */

static bool stage2_on(const struct reader *reader) {
  return reader->stage2 && (reader->reg[ORACLE_HCR] & (HCR_VM | HCR_DC));
}

static bool some_domain_is_denied(uint64_t dacr) {
  for (unsigned domain = 0; domain < 16; domain++)
    if (!(dacr >> 2 * domain & 1))
      return true;
  return false;
}

static const char *why_not_asked(const struct reader *reader, char access, uint64_t address) {
  if (access == 'x' && reader->walk != WALK_BOTH)
    return "a fetch goes through both stages";
  if (access == 'x' && (reader->reg[ORACLE_SCTLR] & SCTLR_VECTORS))
    return "fetches need the vectors at VBAR, in ARM state";
  if (address > UINT32_MAX)
    return "the operations take 32 bits of address";
  if (!reader->all && access != 'x' && reader->walk != WALK_STAGE2 && stage2_on(reader) &&
      !reader->lpae && (reader->reg[ORACLE_SCTLR] & SCTLR_M) &&
      some_domain_is_denied(reader->reg[ORACLE_DACR]))
    return "a domain fault under stage 2 stops this QEMU";
  return NULL;
}

/* The registers as the query needs them: stage 2 alone is asked for with stage 1 off. */
static void settle_registers(struct reader *reader) {
  bool alone = reader->walk == WALK_STAGE2;
  for (unsigned i = 0; i < ORACLE_REGISTERS; i++) {
    uint64_t value = reader->reg[i];
    if (i == ORACLE_TTBCR && !reader->given[i])
      value = reader->lpae ? TTBCR_EAE : 0;
    if (i == ORACLE_SCTLR && alone)
      value &= ~(uint64_t)SCTLR_M;
    if (i == ORACLE_HCR && alone)
      value = (value & ~(uint64_t)HCR_DC) | (stage2_on(reader) ? HCR_VM : 0);
    send_register(reader, (enum oracle_register)i, value);
  }
}

static bool item_query(struct reader *reader, char **word) {
  struct oracle_questions *q = reader->questions;
  struct oracle_line *line = &q->line[q->lines - 1];
  uint64_t address;
  if (strlen(word[1]) != 1 || !strchr("rwx", word[1][0]))
    return refuse(reader, "found '%s', expected r, w or x", word[1]);
  if (strcmp(word[2], "priv") != 0 && strcmp(word[2], "user") != 0)
    return refuse(reader, "found '%s', expected priv or user", word[2]);
  if (!reader->regime_given)
    return refuse(reader, "found a query, expected a 'regime' line before it");
  if (!read_number(reader, word[3], &address))
    return false;
  line->query = true;
  line->stage2 = stage2_on(reader);
  line->attributes = word[1][0] != 'x' && reader->lpae && reader->walk != WALK_STAGE2;
  line->combined = line->stage2 && reader->walk == WALK_BOTH;
  line->va = (uint32_t)address;
  line->not_asked = why_not_asked(reader, word[1][0], address);
  if (line->not_asked)
    return true;
  settle_registers(reader);
  if (!reader->queries) {
    put(reader, ORACLE_QUERIES);
    reader->queries = q->words;
    put(reader, 0);
  }
  q->word[reader->queries]++;
  put(reader,
      (word[1][0] == 'w' ? ORACLE_ASK_WRITE : 0) | (word[1][0] == 'x' ? ORACLE_ASK_FETCH : 0) |
          (word[2][0] == 'u' ? ORACLE_ASK_USER : 0) |
          (reader->walk == WALK_STAGE1 && (line->stage2 || reader->all) ? ORACLE_ASK_STAGE1 : 0));
  put(reader, (uint32_t)address);
  q->asked++;
  return true;
}

/* -- lines ------------------------------------------------------------------------------------- */

static const struct item {
  const char *name;
  size_t words;
  bool (*apply)(struct reader *reader, char **word);
} items[] = {
    {"q", 4, item_query},       {"reg", 3, item_reg},           {"mem", 2, item_mem},
    {"ram", 2, item_ram},       {"nomem", 2, item_nomem},       {"walk", 2, item_walk},
    {"regime", 2, item_regime}, {"format", 2, item_format},     {"cpu", 0, item_hint},
    {"path", 0, item_hint},     {"update-check", 1, item_hint},
};

static bool apply(struct reader *reader, char *text) {
  char *word[WORDS + 1];
  size_t count = 0;
  text[strcspn(text, "#")] = '\0';
  for (char *at = strtok(text, " \t\r"); at && count <= WORDS; at = strtok(NULL, " \t\r"))
    word[count++] = at;
  if (count == 0)
    return true;
  for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
    if (strcmp(word[0], items[i].name) != 0)
      continue;
    if (items[i].words && items[i].words != count)
      return refuse(reader, "found %zu words, expected %zu after and with '%s'", count,
                    items[i].words, word[0]);
    return items[i].apply(reader, word);
  }
  return refuse(reader, "found '%s', expected an item of a case file of ARMv7", word[0]);
}

static void keep_line(struct reader *reader, char *text) {
  struct oracle_questions *q = reader->questions;
  char *answer = strstr(text, " -> ");
  if (answer && text[0] == 'q')
    *answer = '\0';
  text[strcspn(text, "\r\n")] = '\0';
  q->line = grow(q->line, q->lines, &q->line_room, sizeof(*q->line));
  q->line[q->lines++] = (struct oracle_line){.text = strdup(text)};
}

static bool read_lines(struct reader *reader, FILE *in) {
  char *text = NULL;
  size_t room = 0;
  bool good = true;
  while (good && getline(&text, &room, in) >= 0) {
    reader->number++;
    keep_line(reader, text);
    good = apply(reader, text);
  }
  free(text);
  return good;
}

bool oracle_questions_read(struct oracle_questions *questions, const char *path, bool all) {
  struct reader reader = {.questions = questions, .path = path, .all = all};
  const char *slash = strrchr(path, '/');
  memset(questions, 0, sizeof(*questions));
  reader.slash = slash ? slash + 1 : path;
  bool standard = strcmp(path, "-") == 0;
  FILE *in = standard ? stdin : fopen(path, "re");
  if (!in)
    return refuse(&reader, "cannot be opened: %s", strerror(errno));
  /* What the machine starts with is not known, so every register is sent once. */
  memset(reader.sent, 0xff, sizeof(reader.sent));
  bool good = read_lines(&reader, in);
  put(&reader, ORACLE_END);
  if (!standard)
    fclose(in);
  free(reader.written);
  if (good && questions->words > ORACLE_QUESTIONS_ROOM / 4)
    good = refuse(&reader, "this is more than fits the machine's memory in one go");
  if (good && questions->asked > ORACLE_ANSWERS_ROOM / sizeof(struct oracle_answer))
    good = refuse(&reader, "these are more queries than one go has room for");
  return good;
}

void oracle_questions_free(struct oracle_questions *questions) {
  for (size_t i = 0; i < questions->lines; i++)
    free(questions->line[i].text);
  free(questions->line);
  free(questions->word);
}
