/* SPDX-License-Identifier: Apache-2.0 */
/* Case files: their memory, their state, and that no input whatever does harm. */
#define _GNU_SOURCE /* open_memstream(), mkdtemp() */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "case/case.h"
#include "case/memory.h"
#include "explain/grid.h"

static char directory[] = "/tmp/nestwalk-case-XXXXXX";
static char case_path[64], bytes_path[64];

static uint64_t next_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static uint64_t seed_of_the_run(void) {
  const char *text = getenv("NW_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 0) : 1970;
  print_message("NW_SEED=%" PRIu64 "\n", seed);
  return seed ? seed : 1;
}

static void write_file(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* 256 bytes that are their own number. */
static int make_files(void **state) {
  unsigned char byte[256];
  (void)state;
  if (!mkdtemp(directory))
    return -1;
  snprintf(case_path, sizeof(case_path), "%s/case", directory);
  snprintf(bytes_path, sizeof(bytes_path), "%s/bytes", directory);
  for (unsigned i = 0; i < sizeof(byte); i++)
    byte[i] = (unsigned char)i;
  write_file(bytes_path, byte, sizeof(byte));
  return 0;
}

static int remove_files(void **state) {
  (void)state;
  unlink(case_path);
  unlink(bytes_path);
  return rmdir(directory);
}

/* -- memory ------------------------------------------------------------------------------------ */

#define SPACE 1024

static void compare(const struct nw_case_memory *memory, uint64_t base, const int *model) {
  for (unsigned at = 0; at + 8 <= SPACE; at++) {
    uint64_t expected = 0, data = 0;
    bool there = true;
    unsigned size = at % 2 ? 4 : 8;
    for (unsigned i = 0; i < size; i++) {
      there = there && model[at + i] >= 0;
      expected |= (uint64_t)(model[at + i] & 0xff) << 8 * i;
    }
    assert_int_equal(nw_case_memory_read(memory, base + at, size, &data), there);
    if (there)
      assert_int_equal(data, expected);
  }
}

static void the_later_range_wins_byte_by_byte(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  for (unsigned round = 0; round < 200; round++) {
    struct nw_case_memory *memory = nw_case_memory_create();
    uint64_t base = round % 2 ? 0x8000000000 : (uint64_t)0 - SPACE; /* or up to the very end */
    int model[SPACE];
    memset(model, -1, sizeof(model));
    for (unsigned line = 0; line < 20; line++) {
      uint64_t r = next_random(&random);
      unsigned first = (unsigned)(r % (SPACE - 256));
      unsigned last = first + (unsigned)(r >> 16) % 256;
      unsigned kind = r >> 32 & 3;
      char error[128];
      if (kind == 0)
        last = first + 255;
      for (unsigned at = first; at <= last; at++)
        model[at] = kind == 0 ? (int)(at - first) : kind == 1 ? -1 : 0;
      if (kind == 0)
        assert_true(nw_case_memory_add_file(memory, bytes_path, base + first, error, 128));
      else if (kind == 1)
        assert_true(nw_case_memory_add_hole(memory, base + first, base + last));
      else
        assert_true(nw_case_memory_add_ram(memory, base + first, base + last));
    }
    compare(memory, base, model);
    nw_case_memory_destroy(memory);
  }
}

static void all_of_the_address_space_can_be_covered_and_holed(void **state) {
  (void)state;
  struct nw_case_memory *memory = nw_case_memory_create();
  uint64_t data = 1;
  assert_true(nw_case_memory_add_ram(memory, 0, UINT64_MAX));
  assert_true(nw_case_memory_read(memory, UINT64_MAX - 7, 8, &data));
  assert_int_equal(data, 0);
  assert_false(nw_case_memory_read(memory, UINT64_MAX - 6, 8, &data)); /* nothing beyond the end */
  assert_true(nw_case_memory_add_hole(memory, 0x1000, 0x1000));
  assert_false(nw_case_memory_read(memory, 0xffd, 4, &data));
  assert_true(nw_case_memory_read(memory, 0xffc, 4, &data));
  assert_true(nw_case_memory_read(memory, 0x1001, 4, &data));
  assert_true(nw_case_memory_add_hole(memory, 0, UINT64_MAX));
  assert_false(nw_case_memory_read(memory, 0, 4, &data));
  nw_case_memory_destroy(memory);
}

static void updates_are_seen_reported_in_order_and_undone(void **state) {
  (void)state;
  char error[128];
  size_t count;
  uint64_t found, data;
  struct nw_case_memory *memory = nw_case_memory_create();
  assert_true(nw_case_memory_add_file(memory, bytes_path, 0x1000, error, sizeof(error)));
  assert_true(nw_case_memory_update(memory, 0x1010, 8, 0x1716151413121110, 0x99, &found));
  assert_true(nw_case_memory_update(memory, 0x1008, 4, 0x0b0a0908, 0x77, &found));
  assert_int_equal(found, 0x0b0a0908);
  /* a swap whose old value is not there leaves all as it is */
  assert_true(nw_case_memory_update(memory, 0x1008, 4, 0x0b0a0908, 0x55, &found));
  assert_int_equal(found, 0x77);
  assert_true(nw_case_memory_update(memory, 0x1010, 8, 0x99, 0xaabbccdd00112233, &found));
  assert_false(nw_case_memory_update(memory, 0x2000, 4, 0, 1, &found));
  const struct nw_case_update *update = nw_case_memory_updates(memory, &count);
  assert_int_equal(count, 2);
  assert_int_equal(update[0].address, 0x1008);
  assert_int_equal(update[0].value, 0x77);
  assert_int_equal(update[1].address, 0x1010);
  assert_int_equal(update[1].value, 0xaabbccdd00112233);
  assert_true(nw_case_memory_read(memory, 0x1014, 4, &data)); /* the upper half of one */
  assert_int_equal(data, 0xaabbccdd);
  nw_case_memory_undo(memory);
  assert_true(nw_case_memory_read(memory, 0x1014, 4, &data));
  assert_int_equal(data, 0x17161514);
  nw_case_memory_updates(memory, &count);
  assert_int_equal(count, 0);
  nw_case_memory_destroy(memory);
}

/* -- state ------------------------------------------------------------------------------------- */

/* What translate answers to a text; the caller frees it. */
static char *translated(const char *text, size_t size, bool keep_state,
                        enum nw_case_status expected) {
  struct nw_case_options options = {.keep_state = keep_state};
  char error[512], *answers = NULL;
  size_t length;
  write_file(case_path, text, size);
  FILE *out = open_memstream(&answers, &length);
  assert_non_null(out);
  enum nw_case_status status = nw_case_translate(case_path, &options, out, error, sizeof(error));
  fclose(out);
  if (status != expected)
    fail_msg("status %d, expected %d: %s", (int)status, (int)expected, error);
  return answers;
}

static void expect_answers(const char *text, const char *expected) {
  char *answers = translated(text, strlen(text), false, NW_CASE_ANSWERED);
  assert_string_equal(answers, expected);
  free(answers);
}

static void lines_take_effect_for_the_queries_after_them(void **state) {
  (void)state;
  expect_answers("format 1\nregime armv7-short\nq r priv 0x10\nreg SCTLR 1\nq r priv 0x10\n"
                 "ram 0-0x3fff\nq r priv 0x10\nnomem 0-3\nq r priv 0x10\nreg SCTLR 0\n"
                 "q r priv 0x10\n",
                 "format 1\nregime armv7-short\n"
                 "q r priv 0x10 -> ok pa=0x0000000010 size=0x1000 attr=0x00 sh=2\n"
                 "reg SCTLR 1\n"
                 "q r priv 0x10 -> fault stage=1 s1walk=0 level=1 type=extabort "
                 "syndrome=DFSR:0xc\n"
                 "ram 0-0x3fff\n"
                 "q r priv 0x10 -> fault stage=1 s1walk=0 level=1 type=translation "
                 "syndrome=DFSR:0x5\n"
                 "nomem 0-3\n"
                 "q r priv 0x10 -> fault stage=1 s1walk=0 level=1 type=extabort "
                 "syndrome=DFSR:0xc\n"
                 "reg SCTLR 0\n"
                 "q r priv 0x10 -> ok pa=0x0000000010 size=0x1000 attr=0x00 sh=2\n");
}

static void registers_hold_before_and_across_regime_lines(void **state) {
  (void)state;
  expect_answers("format 1\nreg SCTLR 0x1\nreg TTBCR 0x10\nregime armv7-short\nq r priv 0\n"
                 "regime armv7-lpae\nreg TTBCR 0x80000080\nq r priv 0\n",
                 "format 1\nreg SCTLR 0x1\nreg TTBCR 0x10\nregime armv7-short\n"
                 "q r priv 0 -> fault stage=1 s1walk=0 level=1 type=translation "
                 "syndrome=DFSR:0x5\n"
                 "regime armv7-lpae\nreg TTBCR 0x80000080\n"
                 "q r priv 0 -> fault stage=1 s1walk=0 level=1 type=translation "
                 "syndrome=DFSR:0x205\n");
}

static void lines_for_others_and_comments_are_repeated_as_they_are(void **state) {
  (void)state;
  expect_answers("# a\n\n \t\nformat 1 # one\n\tregime  armv7-short\ncpu\ncpu a b c d e f g h i j\n"
                 "path x -> y\nupdate-check\nmaxphyaddr 40\ncap ept-ad 1\n  q x user 1  # why\n",
                 "# a\n\n \t\nformat 1 # one\n\tregime  armv7-short\ncpu\n"
                 "cpu a b c d e f g h i j\npath x -> y\nupdate-check\nmaxphyaddr 40\n"
                 "cap ept-ad 1\n"
                 "  q x user 1  # why -> ok pa=0x0000000001 size=0x1000 attr=0x44 sh=2\n");
}

static void answers_on_input_are_dropped_so_answering_twice_changes_nothing(void **state) {
  (void)state;
  static const char text[] = "format 1\nregime armv7-lpae+s2\nreg HCR 1\nreg VTCR 0x58\n"
                             "ram 0-0xfff\nq w user 0x1000 -> ok -> twice ; for people\n"
                             "walk s2\nq r priv 0xffffffffff ->\n";
  char *once = translated(text, strlen(text), false, NW_CASE_ANSWERED);
  char *twice = translated(once, strlen(once), false, NW_CASE_ANSWERED);
  assert_string_equal(once, twice);
  assert_null(strstr(once, "people"));
  free(once);
  free(twice);
}

static void without_maintenance_a_kept_mmu_answers_what_walks_answer(void **state) {
  (void)state;
  char text[4096];
  unsigned char table[32][4];
  for (unsigned i = 0; i < 32; i++) { /* sections of all APs; the last eight words are invalid */
    table[i][0] = i < 24 ? 0x02 : 0;
    table[i][1] = (unsigned char)(i << 2 & 0x0c);
    table[i][2] = (unsigned char)(i << 4);
    table[i][3] = 0x12;
  }
  write_file(bytes_path, table, sizeof(table));
  int used = snprintf(text, sizeof(text),
                      "format 1\nregime armv7-short\nmem bytes@0x100\nreg SCTLR 1\n"
                      "reg TTBR0 0x100\nreg TTBCR 7\nreg DACR 1\n");
  for (unsigned i = 0; i < 90; i++)
    used += snprintf(text + used, sizeof(text) - (size_t)used, "q %c priv 0x%x\n", "rwx"[i % 3],
                     (i * 37 % 32) << 20 | i);
  char *walked = translated(text, (size_t)used, false, NW_CASE_ANSWERED);
  char *kept = translated(text, (size_t)used, true, NW_CASE_ANSWERED);
  assert_string_equal(walked, kept);
  assert_non_null(strstr(walked, "ok pa=0x0012"));
  assert_non_null(strstr(walked, "permission"));
  assert_non_null(strstr(walked, "translation"));
  free(walked);
  free(kept);
}

/* -- any input --------------------------------------------------------------------------------- */

static const char *const pieces[] = {
    "format 1\n",
    "regime armv7-short+s2\n",
    "regime armv7-lpae\n",
    "reg TTBR0 0x100\n",
    "reg SCTLR ",
    "reg HCR 1\n",
    "mem bytes@",
    "ram 0-",
    "nomem ",
    "walk s2\n",
    "walk s12\n",
    "q r priv ",
    "q x user 0x",
    "update-check\n",
    " -> ",
    "#",
    "\n",
    "\r\n",
    "\t",
    " ",
    "0x",
    "0xffffffffffffffff",
    "1",
    "4294967296",
    "-",
    "@",
    "cap ept-ad 1\n",
    "maxphyaddr 40\n",
    "reg VTCR 0x58\n",
    "\\",
    "\377",
};

static void no_mixture_of_words_or_bytes_does_harm(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  unsigned good = 0;
  for (unsigned round = 0; round < 3000; round++) {
    char text[1024] = "format 1\nregime armv7-short\nmem bytes@0x100\n", error[512];
    size_t size = round % 8 ? strlen(text) : 0;
    while (size < 900 && next_random(&random) % 24) {
      uint64_t r = next_random(&random);
      const char *piece = pieces[r % (sizeof(pieces) / sizeof(pieces[0]))];
      if ((r >> 32) % 16 == 0)
        text[size++] = (char)(r >> 40);
      else
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s", piece);
    }
    write_file(case_path, text, size);
    FILE *out = fopen("/dev/null", "w");
    assert_non_null(out);
    struct nw_case_options options = {.trace = round & 1, .keep_state = round >> 1 & 1};
    error[0] = 0;
    enum nw_case_status status = nw_case_translate(case_path, &options, out, error, sizeof(error));
    struct nw_drawing drawing;
    assert_true(nw_drawing_begin(&drawing));
    struct nw_case_explaining explaining = {
        .keep_state = options.keep_state, .text = out, .drawing = &drawing};
    enum nw_case_status explained = nw_case_explain(case_path, &explaining, error, sizeof(error));
    assert_true(nw_drawing_end(&drawing, out));
    fclose(out);
    assert_int_equal(status, explained);
    assert_true(status == NW_CASE_ANSWERED || status == NW_CASE_BAD_INPUT);
    if (status == NW_CASE_BAD_INPUT)
      assert_non_null(strstr(error, case_path));
    good += status == NW_CASE_ANSWERED;
  }
  assert_true(good > 30);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_later_range_wins_byte_by_byte),
      cmocka_unit_test(all_of_the_address_space_can_be_covered_and_holed),
      cmocka_unit_test(updates_are_seen_reported_in_order_and_undone),
      cmocka_unit_test(lines_take_effect_for_the_queries_after_them),
      cmocka_unit_test(registers_hold_before_and_across_regime_lines),
      cmocka_unit_test(lines_for_others_and_comments_are_repeated_as_they_are),
      cmocka_unit_test(answers_on_input_are_dropped_so_answering_twice_changes_nothing),
      cmocka_unit_test(without_maintenance_a_kept_mmu_answers_what_walks_answer),
      cmocka_unit_test(no_mixture_of_words_or_bytes_does_harm),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
