/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Valgrind's lackey prints with --trace-mem=yes: "I  ADDR,SIZE" for an instruction, then its
 * " L ADDR,SIZE", " S ADDR,SIZE" or " M ADDR,SIZE" (a load, then a store there); addresses in
 * hexadecimal, sizes in decimal. Lines that start with == are Valgrind's own.
 */
#include <ctype.h>
#include <string.h>

#include "trace/foreign.h"
#include "trace/format.h"

#define LINE 4096u

/* Digits of a base, at least one and not more than 64 bits hold. */
static bool read_digits(const char **at, const char *end, unsigned base, uint64_t *value) {
  const char *start = *at;
  for (*value = 0; *at < end; ++*at) {
    int c = tolower((unsigned char)**at);
    unsigned digit = isdigit(c)             ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                            : 99;
    if (digit >= base)
      break;
    if (*value > (UINT64_MAX - digit) / base)
      return false;
    *value = *value * base + digit;
  }
  return *at > start;
}

/* One line without its end. */
static bool read_line(const char *line, size_t length, char *kind, uint64_t *va, uint64_t *bytes) {
  const char *at = line + 3, *end = line + length;
  if (length < 6 || (memcmp(line, "I  ", 3) != 0 &&
                     (line[0] != ' ' || line[2] != ' ' || memchr("LSM", line[1], 3) == NULL)))
    return false;
  *kind = line[0] == 'I' ? 'I' : line[1];
  return read_digits(&at, end, 16, va) && at < end && *at++ == ',' &&
         read_digits(&at, end, 10, bytes) && at == end && *bytes >= 1 && *bytes <= 4095;
}

static bool is_valgrinds(const char *line, size_t length) {
  return length == 0 || (length >= 2 && (memcmp(line, "==", 2) == 0 || memcmp(line, "--", 2) == 0));
}

bool nw_lackey_detect(const uint8_t *bytes, size_t size) {
  const char *text = (const char *)bytes;
  for (size_t at = 0; at < size;) {
    const char *newline = memchr(text + at, '\n', size - at);
    size_t length = newline != NULL ? (size_t)(newline - text) - at : size - at;
    char kind;
    uint64_t va, count;
    if (newline == NULL)
      return at > 0;
    if (read_line(text + at, length, &kind, &va, &count))
      return true;
    if (!is_valgrinds(text + at, length))
      return false;
    at += length + 1;
  }
  return false;
}

static bool hand_on(const struct nw_foreign_sink *sink, char kind, uint64_t va, uint32_t bytes) {
  switch (kind) {
  case 'I':
    return sink->instruction(sink->context, va, bytes);
  case 'M':
    return sink->data(sink->context, false, va, bytes) &&
           sink->data(sink->context, true, va, bytes);
  default:
    return sink->data(sink->context, kind == 'S', va, bytes);
  }
}

static enum nw_trace_result bad_line(struct nw_input *source, const char *line, size_t length,
                                     struct nw_trace_error *error) {
  unsigned long long at = nw_source_offset(source);
  char shown[41] = "";
  for (size_t i = 0; i < length && i < sizeof shown - 1; i++)
    shown[i] = isprint((unsigned char)line[i]) ? line[i] : '?';
  return nw_trace_fail(
      error, NW_TRACE_DAMAGED, at,
      "%s: offset %llu%s: found the line '%s', expected 'I  ADDRESS,SIZE', or ' L', "
      "' S' or ' M' with such",
      nw_source_path(source), at, nw_source_unpacked(source), shown);
}

enum nw_trace_result nw_lackey_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                    struct nw_trace_error *error) {
  for (;;) {
    const uint8_t *bytes;
    size_t got;
    enum nw_trace_result result = nw_source_peek(source, LINE, &bytes, &got, error);
    if (got == 0)
      return result;
    const char *line = (const char *)bytes;
    const char *newline = memchr(line, '\n', got);
    size_t length = newline != NULL ? (size_t)(newline - line) : got;
    char kind;
    uint64_t va, count;
    if (newline == NULL && result != NW_TRACE_OK)
      return result; /* the line goes on in what is damaged */
    if (read_line(line, length, &kind, &va, &count)) {
      if (!hand_on(sink, kind, va, (uint32_t)count))
        return NW_TRACE_OK;
    } else if (!is_valgrinds(line, length)) {
      return bad_line(source, line, length, error);
    }
    nw_source_take(source, length + (newline != NULL));
  }
}
