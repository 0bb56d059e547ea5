/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is cut into words in place of pointers and lengths; the keyword picks a function from a
 * table, which checks its words and changes the state. A line that is refused has changed nothing.
 */
#include "case/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 8 /* more than any item has */

struct word {
  const char *text;
  size_t length;
};

struct words {
  struct word word[WORDS];
  size_t count;
};

/* -- saying what is wrong ---------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool refuse(struct nw_case_reader *reader,
                                                         const char *format, ...) {
  va_list arguments;
  int used = snprintf(reader->error, sizeof(reader->error), "%s:%" PRIu64 ": ",
                      strcmp(reader->path, "-") == 0 ? "standard input" : reader->path,
                      reader->line_number);
  if (used > 0 && (size_t)used < sizeof(reader->error)) {
    va_start(arguments, format);
    vsnprintf(reader->error + used, sizeof(reader->error) - (size_t)used, format, arguments);
    va_end(arguments);
  }
  return false;
}

/* A word as a message shows it: in quotes, shortened, with what cannot be printed as \x... */
struct shown {
  char text[64];
};

static struct shown show(struct word word) {
  struct shown shown;
  size_t used = 0;
  shown.text[used++] = '\'';
  for (size_t i = 0; i < word.length; i++) {
    unsigned char byte = (unsigned char)word.text[i];
    if (used > sizeof(shown.text) - 12) {
      used += (size_t)snprintf(shown.text + used, sizeof(shown.text) - used, "...");
      break;
    }
    if (byte >= 0x20 && byte < 0x7f)
      shown.text[used++] = (char)byte;
    else
      used += (size_t)snprintf(shown.text + used, sizeof(shown.text) - used, "\\x%02x", byte);
  }
  shown.text[used++] = '\'';
  shown.text[used] = '\0';
  return shown;
}

static bool refuse_word(struct nw_case_reader *reader, struct word found, const char *expected) {
  return refuse(reader, "found %s, expected %s", show(found).text, expected);
}

/* -- words and numbers ------------------------------------------------------------------------- */

static bool is_space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is(struct word word, const char *text) {
  return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* Cuts a line into words up to a comment. Words beyond WORDS are not kept. */
static void cut(const char *line, size_t length, struct words *words) {
  const char *end = line + length;
  words->count = 0;
  while (words->count < WORDS) {
    while (line < end && is_space(*line))
      line++;
    if (line == end || *line == '#')
      return;
    const char *start = line;
    while (line < end && !is_space(*line) && *line != '#')
      line++;
    words->word[words->count++] = (struct word){start, (size_t)(line - start)};
  }
}

static int digit(char byte) {
  if (byte >= '0' && byte <= '9')
    return byte - '0';
  byte = (char)(byte | 0x20);
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : 16;
}

static bool number(struct word word, uint64_t *value) {
  uint64_t base = 10, sum = 0;
  if (word.length > 2 && word.text[0] == '0' && (word.text[1] | 0x20) == 'x') {
    base = 16;
    word.text += 2;
    word.length -= 2;
  }
  for (size_t i = 0; i < word.length; i++) {
    uint64_t one = (uint64_t)digit(word.text[i]);
    if (one >= base || sum > (UINT64_MAX - one) / base)
      return false;
    sum = sum * base + one;
  }
  *value = sum;
  return word.length > 0;
}

static bool read_number(struct nw_case_reader *reader, struct word word, uint64_t *value) {
  return number(word, value) ||
         refuse_word(reader, word, "a number, decimal or 0x, of at most 64 bits");
}

/* Splits a word at its first or last `mark`; false when it has none. */
static bool split(struct word word, char mark, bool last, struct word *left, struct word *right) {
  size_t at = word.length;
  for (size_t i = 0; i < word.length && (last || at == word.length); i++)
    if (word.text[i] == mark)
      at = i;
  if (at == word.length)
    return false;
  *left = (struct word){word.text, at};
  *right = (struct word){word.text + at + 1, word.length - at - 1};
  return true;
}

/* The word's bytes as a string of the caller's; NULL when it holds a NUL byte or for no room. */
static char *string(struct word word) {
  return memchr(word.text, '\0', word.length) ? NULL : strndup(word.text, word.length);
}

/* -- items ------------------------------------------------------------------------------------- */

static bool item_format(struct nw_case_reader *reader, const struct word *word) {
  if (reader->has_format)
    return refuse(reader, "found a second 'format', expected one, as the first item");
  if (!is(word[1], "1"))
    return refuse_word(reader, word[1], "1, the only format of case files there is");
  reader->has_format = true;
  return true;
}

static bool regime_is_named(const char *name, enum nw_regime_kind *kind) {
  return name && nw_regime_by_name(name, kind);
}

#define REGIMES                                                                                    \
  "armv7-short, armv7-lpae, armv7-short+s2, armv7-lpae+s2, x86-64, x86-svm-npt or x86-ept"

/* The registers of the regime's architecture that `reg` lines gave. */
static struct nw_case_register *registers_of(struct nw_case_reader *reader) {
  return reader->reg[reader->regime.architecture];
}

/* The regime anew, with the capabilities and the registers given so far. */
static void build_regime(struct nw_case_reader *reader, enum nw_regime_kind kind) {
  nw_regime_init(&reader->regime, kind);
  nw_regime_set_capabilities(&reader->regime, &reader->capabilities);
  struct nw_case_register *given = registers_of(reader);
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (given[i].line)
      given[i].contradicts =
          nw_regime_write(&reader->regime, i, given[i].value) != NW_REGISTER_WRITTEN;
  reader->regimes++;
  reader->revision++;
}

static bool item_regime(struct nw_case_reader *reader, const struct word *word) {
  enum nw_regime_kind kind;
  char *name = string(word[1]);
  bool known = regime_is_named(name, &kind);
  free(name);
  if (!known && is(word[1], "riscv-h"))
    return refuse(reader, "found regime 'riscv-h', which this version has not; expected " REGIMES);
  if (!known)
    return refuse_word(reader, word[1], REGIMES);
  build_regime(reader, kind);
  return true;
}

static bool item_mem(struct nw_case_reader *reader, const struct word *word) {
  struct word name, place;
  uint64_t address;
  if (!split(word[1], '@', true, &name, &place) || name.length == 0)
    return refuse_word(reader, word[1], "FILE@ADDR");
  if (!read_number(reader, place, &address))
    return false;
  if (memchr(name.text, '\0', name.length))
    return refuse_word(reader, name, "the name of a file");
  bool absolute = name.text[0] == '/';
  size_t room = strlen(reader->directory) + name.length + 1;
  char *path = malloc(room);
  if (!path)
    return refuse(reader, "out of memory");
  snprintf(path, room, "%s%.*s", absolute ? "" : reader->directory, (int)name.length, name.text);
  char why[256];
  bool good = nw_case_memory_add_file(reader->memory, path, address, why, sizeof(why));
  free(path);
  return good || refuse(reader, "%s", why);
}

static bool read_range(struct nw_case_reader *reader, struct word word, uint64_t *first,
                       uint64_t *last) {
  struct word left, right;
  if (!split(word, '-', false, &left, &right))
    return refuse_word(reader, word, "A-B, the first and the last address");
  if (!read_number(reader, left, first) || !read_number(reader, right, last))
    return false;
  return *first <= *last ||
         refuse_word(reader, word, "A-B with A not above B, since B is included");
}

static bool item_ram(struct nw_case_reader *reader, const struct word *word) {
  uint64_t first, last;
  return read_range(reader, word[1], &first, &last) &&
         (nw_case_memory_add_ram(reader->memory, first, last) || refuse(reader, "out of memory"));
}

static bool item_nomem(struct nw_case_reader *reader, const struct word *word) {
  uint64_t first, last;
  return read_range(reader, word[1], &first, &last) &&
         (nw_case_memory_add_hole(reader->memory, first, last) || refuse(reader, "out of memory"));
}

static bool item_walk(struct nw_case_reader *reader, const struct word *word) {
  if (is(word[1], "s1"))
    reader->scope = NW_SCOPE_STAGE1;
  else if (is(word[1], "s2"))
    reader->scope = NW_SCOPE_STAGE2;
  else if (is(word[1], "s12"))
    reader->scope = NW_SCOPE_BOTH;
  else
    return refuse_word(reader, word[1], "s1, s2 or s12");
  return true;
}

/* The regime has refused a register: says why. */
static bool refuse_register(struct nw_case_reader *reader, struct word name, uint64_t value,
                            unsigned width, enum nw_register_status status) {
  if (status == NW_REGISTER_TOO_WIDE)
    return refuse(reader, "found 0x%" PRIx64 " for %s, expected at most %u bits", value,
                  show(name).text, width);
  if (status == NW_REGISTER_CONTRADICTS)
    return refuse(reader,
                  "found 0x%" PRIx64 " for %s, expected a value that does not contradict "
                  "the regime %s",
                  value, show(name).text, nw_regime_name((enum nw_regime_kind)reader->regime.kind));
  return refuse_word(reader, name, "a register of the regime");
}

/* MOV and VM entry refuse some values of x86 registers by what the machine can do or by another
 * register (bit 63 of CR3 by CR4.PCIDE), which a later line may still say: they are held against
 * the file at the next query. */
static bool may_contradict_for_now(const struct nw_case_reader *reader) {
  return reader->regime.architecture == NW_X86_64;
}

/* A register has been written: takes what contradicted without it and does so no more. */
static void retry_contradicting(struct nw_case_reader *reader) {
  struct nw_case_register *given = registers_of(reader);
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (given[i].contradicts &&
        nw_regime_write(&reader->regime, i, given[i].value) == NW_REGISTER_WRITTEN)
      given[i] = (struct nw_case_register){given[i].value, reader->line_number, false};
}

static bool item_reg(struct nw_case_reader *reader, const struct word *word) {
  enum nw_architecture architecture;
  unsigned reg;
  uint64_t value;
  char *name = string(word[1]);
  bool known = name && nw_register_by_name(name, &architecture, &reg);
  free(name);
  if (!known || (reader->regimes && architecture != reader->regime.architecture))
    return refuse_word(reader, word[1],
                       reader->regimes && reader->regime.architecture == NW_X86_64
                           ? "a register: CR0, CR3, CR4, EFER, PKRU, AC, PAT, nCR3, hCR4, hEFER, "
                             "EPTP, VPID or ASID"
                           : "a register: HCR, VTCR, VTTBR, TTBCR, TTBR0, TTBR1, DACR, SCTLR, "
                             "PRRR, NMRR, MAIR0, MAIR1 or CONTEXTIDR");
  if (!read_number(reader, word[2], &value))
    return false;
  unsigned width = nw_register_width(architecture, reg);
  enum nw_register_status status = NW_REGISTER_WRITTEN;
  if (width < 64 && value >> width)
    status = NW_REGISTER_TOO_WIDE;
  else if (reader->regimes)
    status = nw_regime_write(&reader->regime, reg, value);
  bool contradicts = status == NW_REGISTER_CONTRADICTS;
  if (status != NW_REGISTER_WRITTEN && !(contradicts && may_contradict_for_now(reader)))
    return refuse_register(reader, word[1], value, width, status);
  reader->reg[architecture][reg] =
      (struct nw_case_register){value, reader->line_number, contradicts};
  if (reader->regimes)
    retry_contradicting(reader);
  reader->revision++;
  return true;
}

static bool item_update_check(struct nw_case_reader *reader, const struct word *word) {
  (void)word;
  reader->update_check = true;
  return true;
}

/* Gives the regime that there is, if any, the capabilities as they are now. */
static bool apply_capabilities(struct nw_case_reader *reader) {
  if (reader->regimes)
    build_regime(reader, (enum nw_regime_kind)reader->regime.kind);
  return true;
}

static bool item_maxphyaddr(struct nw_case_reader *reader, const struct word *word) {
  uint64_t bits;
  if (!read_number(reader, word[1], &bits))
    return false;
  if (bits < 32 || bits > 52)
    return refuse_word(reader, word[1], "32 to 52 bits");
  reader->capabilities.maxphyaddr = (uint8_t)bits;
  return apply_capabilities(reader);
}

static bool item_cap(struct nw_case_reader *reader, const struct word *word) {
  const struct {
    const char *name;
    bool *has;
  } capability[] = {
      {"execute-only", &reader->capabilities.execute_only},
      {"ept-ad", &reader->capabilities.ept_ad},
      {"1g-pages", &reader->capabilities.gigabyte_pages},
  };
  if (!is(word[2], "0") && !is(word[2], "1"))
    return refuse_word(reader, word[2], "0 or 1");
  for (size_t i = 0; i < sizeof(capability) / sizeof(capability[0]); i++)
    if (is(word[1], capability[i].name)) {
      *capability[i].has = is(word[2], "1");
      return apply_capabilities(reader);
    }
  return refuse_word(reader, word[1], "execute-only, ept-ad or 1g-pages");
}

static bool item_hint(struct nw_case_reader *reader, const struct word *word) {
  (void)reader;
  (void)word;
  return true;
}

/* -- queries ----------------------------------------------------------------------------------- */

/* What keeps the state there is from answering a query. */
static bool ready(struct nw_case_reader *reader) {
  if (!reader->regimes)
    return refuse(reader, "found a query, expected a 'regime' line before it");
  const struct nw_case_register *given = registers_of(reader);
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (given[i].contradicts)
      return refuse(reader,
                    "found 0x%" PRIx64 " from line %" PRIu64 " in a register, expected a "
                    "value that does not contradict the regime %s",
                    given[i].value, given[i].line,
                    nw_regime_name((enum nw_regime_kind)reader->regime.kind));
  if (reader->scope == NW_SCOPE_STAGE2 &&
      !nw_regime_has_stage2((enum nw_regime_kind)reader->regime.kind))
    return refuse(reader,
                  "found a query under 'walk s2', expected a regime that has a stage 2, "
                  "not %s",
                  nw_regime_name((enum nw_regime_kind)reader->regime.kind));
  return true;
}

static bool item_query(struct nw_case_reader *reader, const struct word *word) {
  struct nw_request *request = &reader->request;
  uint64_t address;
  if (is(word[1], "r"))
    request->access = NW_READ;
  else if (is(word[1], "w"))
    request->access = NW_WRITE;
  else if (is(word[1], "x"))
    request->access = NW_EXECUTE;
  else
    return refuse_word(reader, word[1], "r, w or x");
  if (is(word[2], "priv"))
    request->privilege = NW_PRIVILEGED;
  else if (is(word[2], "user"))
    request->privilege = NW_USER;
  else
    return refuse_word(reader, word[2], "priv or user");
  if (!read_number(reader, word[3], &address) || !ready(reader))
    return false;
  bool stage2 = reader->scope == NW_SCOPE_STAGE2;
  unsigned va_bits = reader->regime.sign_extended ? 64 : reader->regime.va_bits;
  unsigned bits = stage2 ? reader->regime.ipa_bits : va_bits;
  if (bits < 64 && address >> bits)
    return refuse(reader, "found %s, expected %s of at most %u bits", show(word[3]).text,
                  stage2 ? "an IPA" : "a VA", bits);
  request->va = address;
  reader->query++;
  return true;
}

/* -- lines ------------------------------------------------------------------------------------- */

static const struct item {
  const char *name;
  size_t words; /* the name included; 0: any number */
  bool (*apply)(struct nw_case_reader *reader, const struct word *word);
  const char *form;
} item[] = {
    {"q", 4, item_query, "q ACC PRIV VA"},
    {"reg", 3, item_reg, "reg NAME VALUE"},
    {"walk", 2, item_walk, "walk s1|s2|s12"},
    {"mem", 2, item_mem, "mem FILE@ADDR"},
    {"ram", 2, item_ram, "ram A-B"},
    {"nomem", 2, item_nomem, "nomem A-B"},
    {"regime", 2, item_regime, "regime NAME"},
    {"format", 2, item_format, "format 1"},
    {"update-check", 1, item_update_check, "update-check"},
    {"maxphyaddr", 2, item_maxphyaddr, "maxphyaddr N"},
    {"cap", 3, item_cap, "cap NAME 0|1"},
    {"cpu", 0, item_hint, "cpu ..."},
    {"path", 0, item_hint, "path ..."},
};

static const struct item *find_item(struct word name) {
  for (size_t i = 0; i < sizeof(item) / sizeof(item[0]); i++)
    if (is(name, item[i].name))
      return &item[i];
  return NULL;
}

static enum nw_case_item apply(struct nw_case_reader *reader, const struct words *words) {
  const struct item *found = find_item(words->word[0]);
  bool good = false;
  if (!reader->has_format && (!found || found->apply != item_format))
    refuse_word(reader, words->word[0], "'format 1' as the first item");
  else if (!found)
    refuse_word(reader, words->word[0],
                "format, regime, mem, ram, nomem, maxphyaddr, cap, walk, reg, update-check, cpu, "
                "path or q");
  else if (found->words && words->count < found->words)
    refuse(reader, "found the end of the line, expected '%s'", found->form);
  else if (found->words && words->count > found->words)
    refuse(reader, "found %s, expected the end of the line after '%s'",
           show(words->word[found->words]).text, found->form);
  else
    good = found->apply(reader, words->word);
  if (!good)
    return NW_CASE_ERROR;
  return found->apply == item_query ? NW_CASE_QUERY : NW_CASE_LINE;
}

/* Length of a line up to its answer, " -> ", if it has one. */
static size_t before_answer(const char *line, size_t length) {
  for (size_t i = 1; i + 1 < length; i++)
    if (line[i] == '-' && line[i + 1] == '>' && is_space(line[i - 1]) &&
        (i + 2 == length || is_space(line[i + 2])))
      return i;
  return length;
}

static size_t trimmed(const char *line, size_t length) {
  while (length && is_space(line[length - 1]))
    length--;
  return length;
}

/* Reads one line into the reader; false at the end of the file or when reading fails. */
static bool read_line(struct nw_case_reader *reader) {
  ssize_t got = getline(&reader->buffer, &reader->buffer_size, reader->in);
  if (got < 0)
    return false;
  size_t length = (size_t)got;
  reader->line = reader->buffer;
  reader->line_end = "\n";
  reader->line_number++;
  if (length && reader->line[length - 1] == '\n')
    length--;
  if (length && reader->line[length - 1] == '\r') {
    length--;
    reader->line_end = "\r\n";
  }
  reader->length = length;
  return true;
}

/* Nothing more could be read: the end, or why not. */
static enum nw_case_item at_end(struct nw_case_reader *reader) {
  if (!feof(reader->in)) {
    refuse(reader, "reading stopped after this line: %s", strerror(errno));
    return NW_CASE_ERROR;
  }
  if (!reader->has_format) {
    refuse(reader, "found the end of the file, expected 'format 1'");
    return NW_CASE_ERROR;
  }
  return NW_CASE_END;
}

enum nw_case_item nw_case_next(struct nw_case_reader *reader) {
  struct words words;
  if (!read_line(reader))
    return at_end(reader);
  cut(reader->line, reader->length, &words);
  if (words.count == 0)
    return NW_CASE_LINE;
  if (!is(words.word[0], "q"))
    return apply(reader, &words);
  reader->length = trimmed(reader->line, before_answer(reader->line, reader->length));
  cut(reader->line, reader->length, &words);
  return apply(reader, &words);
}

bool nw_case_open(struct nw_case_reader *reader, const char *path) {
  memset(reader, 0, sizeof(*reader));
  reader->path = path;
  reader->capabilities = nw_default_capabilities;
  reader->memory = nw_case_memory_create();
  const char *slash = strrchr(path, '/');
  reader->directory = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
  if (!reader->memory || !reader->directory) {
    snprintf(reader->error, sizeof(reader->error), "%s: out of memory", path);
    return false;
  }
  reader->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
  if (!reader->in)
    snprintf(reader->error, sizeof(reader->error), "%s: cannot be opened: %s", path,
             strerror(errno));
  return reader->in != NULL;
}

void nw_case_close(struct nw_case_reader *reader) {
  if (reader->in && reader->in != stdin)
    fclose(reader->in);
  nw_case_memory_destroy(reader->memory);
  free(reader->directory);
  free(reader->buffer);
}
