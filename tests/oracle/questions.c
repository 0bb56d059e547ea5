/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case file's grammar is read here once more, apart from the model's reader, so that the two
 * sides of a comparison share nothing. The state of the machine follows the file: a register or a
 * piece of memory is sent when its line is met, and holds until another line sets it. Which machine
 * it is, and how wide its physical addresses are, is looked for in the whole file first.
 */
#include "questions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "protocol.h"

#define WORDS 4

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

void reader_send(struct reader *reader, unsigned number, uint64_t value) {
  if (reader->sent[number] == value)
    return;
  begin(reader, ORACLE_REGISTER);
  put(reader, number);
  put(reader, (uint32_t)value);
  put(reader, (uint32_t)(value >> 32));
  reader->sent[number] = value;
}

void reader_ask(struct reader *reader, const uint32_t *word, size_t words) {
  if (!reader->queries) {
    put(reader, ORACLE_QUERIES);
    reader->queries = reader->questions->words;
    put(reader, 0);
  }
  reader->questions->word[reader->queries]++;
  for (size_t i = 0; i < words; i++)
    put(reader, word[i]);
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

/* Index of a name in a list; that of its end if it is not there. */
static unsigned find(const char *const *names, const char *name) {
  unsigned i = 0;
  while (names[i] && strcmp(names[i], name) != 0)
    i++;
  return i;
}

static bool item_regime(struct reader *reader, char **word) {
  const struct dialect *dialect = reader->dialect;
  reader->regime = find(dialect->regimes, word[1]);
  return dialect->regimes[reader->regime] ||
         refuse(reader, "found regime '%s', expected one of %s", word[1], dialect->name);
}

static bool item_reg(struct reader *reader, char **word) {
  uint64_t value = 0;
  if (!read_number(reader, word[2], &value))
    return false;
  for (const struct dialect_register *reg = reader->dialect->registers; reg->name; reg++) {
    if (strcmp(word[1], reg->name) != 0)
      continue;
    if (reg->bits < 64 && value >> reg->bits)
      return refuse(reader, "found 0x%" PRIx64 " for %s, expected at most %u bits", value, word[1],
                    reg->bits);
    reader->reg[reg->number] = value;
    reader->given[reg->number] = true;
    return true;
  }
  return refuse(reader, "found '%s', expected a register of %s", word[1], reader->dialect->name);
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

static bool within(const struct range ranges[DIALECT_RANGES], struct range range) {
  for (unsigned i = 0; i < DIALECT_RANGES; i++)
    if (range.first >= ranges[i].first && range.last <= ranges[i].last)
      return true;
  return false;
}

static bool refuse_range(struct reader *reader, const char *what, struct range found,
                         const struct range ranges[DIALECT_RANGES]) {
  return refuse(reader,
                "found %s at 0x%" PRIx64 "-0x%" PRIx64 ", expected it in what this machine has: "
                "0x%" PRIx64 "-0x%" PRIx64 ", 0x%" PRIx64 "-0x%" PRIx64,
                what, found.first, found.last, ranges[0].first, ranges[0].last, ranges[1].first,
                ranges[1].last);
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
    if (!within(reader->ram, range)) {
      free(data);
      return refuse_range(reader, "memory", range, reader->ram);
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
  if (!within(reader->ram, range))
    return refuse_range(reader, "memory", range, reader->ram);
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
  return within(reader->holes, range) || refuse_range(reader, "a hole", range, reader->holes);
}

/* What the machine has in any case; a case that does without can be asked only --raw. */
static bool item_cap(struct reader *reader, char **word) {
  const char *lacks = reader->dialect->lacks;
  if (lacks && strcmp(word[1], lacks) == 0 && strcmp(word[2], "0") != 0)
    return refuse(reader, "found '%s', which the case was without before: expected one machine",
                  word[1]);
  unsigned i = find(reader->dialect->capabilities, word[1]);
  const char *name = reader->dialect->capabilities[i];
  if (name)
    reader->missing_capability = strcmp(word[2], "0") == 0 ? name : NULL;
  return true;
}

static bool item_update_check(struct reader *reader, char **word) {
  (void)word;
  reader->update_check = true;
  return true;
}

static bool item_maxphyaddr(struct reader *reader, char **word) {
  uint64_t width = 0;
  if (!read_number(reader, word[1], &width))
    return false;
  return width == reader->questions->maxphyaddr ||
         refuse(reader, "found another width of physical addresses than %u, which the machine has",
                reader->questions->maxphyaddr);
}

static bool item_hint(struct reader *reader, char **word) {
  (void)reader;
  (void)word;
  return true;
}

/* -- queries ----------------------------------------------------------------------------------- */

static const char *why_not_asked(const struct reader *reader, const struct oracle_line *line) {
  unsigned bits = reader->dialect->va_bits;
  if (reader->missing_capability && !reader->all)
    return "this machine cannot do without a capability that the case lacks";
  if (bits < 64 && line->va >> bits)
    return "the machine does not take addresses of so many bits";
  return reader->dialect->why_not_asked(reader, line);
}

static bool item_query(struct reader *reader, char **word) {
  struct oracle_questions *q = reader->questions;
  struct oracle_line *line = reader->line;
  uint64_t address;
  if (strlen(word[1]) != 1 || !strchr("rwx", word[1][0]))
    return refuse(reader, "found '%s', expected r, w or x", word[1]);
  if (strcmp(word[2], "priv") != 0 && strcmp(word[2], "user") != 0)
    return refuse(reader, "found '%s', expected priv or user", word[2]);
  if (!reader->dialect->regimes[reader->regime])
    return refuse(reader, "found a query, expected a 'regime' line before it");
  if (!read_number(reader, word[3], &address))
    return false;
  line->query = true;
  line->access = word[1][0];
  line->user = word[2][0] == 'u';
  line->va = address;
  line->not_asked = why_not_asked(reader, line);
  if (line->not_asked)
    return true;
  reader->dialect->ask(reader, line);
  q->asked++;
  return true;
}

/* -- lines ------------------------------------------------------------------------------------- */

static const struct item {
  const char *name;
  size_t words;
  bool (*apply)(struct reader *reader, char **word);
} items[] = {
    {"q", 4, item_query},
    {"reg", 3, item_reg},
    {"mem", 2, item_mem},
    {"ram", 2, item_ram},
    {"nomem", 2, item_nomem},
    {"walk", 2, item_walk},
    {"regime", 2, item_regime},
    {"format", 2, item_format},
    {"cpu", 0, item_hint},
    {"path", 0, item_hint},
    {"update-check", 1, item_update_check},
    {"cap", 3, item_cap},
    {"maxphyaddr", 2, item_maxphyaddr},
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
  return refuse(reader, "found '%s', expected an item of a case file", word[0]);
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

static void read_lines(struct reader *reader, FILE *in) {
  char *text = NULL;
  size_t room = 0;
  while (getline(&text, &room, in) >= 0)
    keep_line(reader, text);
  free(text);
}

/* The word after `name` in the first line that begins with it. */
static bool first_word(const struct oracle_questions *q, const char *name, char value[64]) {
  for (size_t i = 0; i < q->lines; i++) {
    char found[64];
    if (sscanf(q->line[i].text, "%63s %63s", found, value) == 2 && strcmp(found, name) == 0)
      return true;
  }
  return false;
}

/* Whether the file has a line that says that there is no such capability. */
static bool is_without(const struct oracle_questions *q, const char *capability) {
  char name[64], value[64];
  for (size_t i = 0; i < q->lines; i++)
    if (sscanf(q->line[i].text, "cap %63s %63s", name, value) == 2 &&
        strcmp(name, capability) == 0 && strcmp(value, "0") == 0)
      return true;
  return false;
}

static bool answers_for(const struct dialect *dialect, const struct oracle_questions *q,
                        const char *regime) {
  return dialect->regimes[find(dialect->regimes, regime)] &&
         (!dialect->lacks || is_without(q, dialect->lacks));
}

/* By the regime that the file names first, and by what it does without. */
static bool choose_machine(struct reader *reader) {
  static const struct dialect *const dialects[] = {&armv7_dialect, &x86_dialect,
                                                   &ept_lesser_dialect, &ept_dialect};
  struct oracle_questions *q = reader->questions;
  char word[64];
  if (!first_word(q, "regime", word))
    return refuse(reader, "expected a 'regime' line");
  for (unsigned i = 0; i < sizeof(dialects) / sizeof(dialects[0]) && !q->dialect; i++)
    if (answers_for(dialects[i], q, word))
      q->dialect = dialects[i];
  if (!q->dialect)
    return refuse(reader, "found regime '%s', for which there is no machine", word);
  q->maxphyaddr = first_word(q, "maxphyaddr", word) ? (unsigned)atoi(word) : 40;
  reader->dialect = q->dialect;
  reader->regime = find(q->dialect->regimes, "");
  q->dialect->memory(q->maxphyaddr, reader->ram, reader->holes);
  return true;
}

static bool apply_lines(struct reader *reader) {
  struct oracle_questions *q = reader->questions;
  bool good = true;
  for (reader->number = 1; good && reader->number <= q->lines; reader->number++) {
    reader->line = &q->line[reader->number - 1];
    char *text = strdup(reader->line->text);
    good = text && apply(reader, text);
    free(text);
  }
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
  read_lines(&reader, in);
  if (!standard)
    fclose(in);
  /* What the machine starts with is not known, so every register is sent once. */
  memset(reader.sent, 0xff, sizeof(reader.sent));
  bool good = choose_machine(&reader) && apply_lines(&reader);
  put(&reader, ORACLE_END);
  free(reader.written);
  if (good && questions->words * 4 > questions->dialect->machine->questions.room)
    good = refuse(&reader, "this is more than fits the machine's memory in one go");
  if (good && questions->asked * questions->dialect->answer_size >
                  questions->dialect->machine->answers.room)
    good = refuse(&reader, "these are more queries than one go has room for");
  return good;
}

void oracle_questions_free(struct oracle_questions *questions) {
  for (size_t i = 0; i < questions->lines; i++)
    free(questions->line[i].text);
  free(questions->line);
  free(questions->word);
}
