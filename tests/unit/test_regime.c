/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: names, widths, what is refused, what is ignored; and the encoders of descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/rights.h"
#include "support/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void regimes_have_the_names_of_case_files(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum nw_regime_kind kind;
    bool stage2;
  } row[] = {
      {"armv7-short", NW_REGIME_ARMV7_SHORT, false},
      {"armv7-lpae", NW_REGIME_ARMV7_LPAE, false},
      {"armv7-short+s2", NW_REGIME_ARMV7_SHORT_S2, true},
      {"armv7-lpae+s2", NW_REGIME_ARMV7_LPAE_S2, true},
  };
  enum nw_regime_kind kind;
  for (unsigned i = 0; i < COUNT(row); i++) {
    assert_string_equal(nw_regime_name(row[i].kind), row[i].name);
    assert_true(nw_regime_by_name(row[i].name, &kind));
    assert_int_equal(kind, row[i].kind);
    assert_int_equal(nw_regime_has_stage2(kind), row[i].stage2);
  }
  kind = NW_REGIME_ARMV7_LPAE;
  assert_false(nw_regime_by_name("armv7", &kind));
  assert_false(nw_regime_by_name("", &kind));
  assert_int_equal(kind, NW_REGIME_ARMV7_LPAE);
  assert_null(nw_regime_name(NW_REGIMES));
  assert_false(nw_regime_has_stage2(NW_REGIMES));
}

static void registers_have_the_manuals_names_and_widths(void **state) {
  (void)state;
  static const struct {
    const char *name;
    unsigned reg;
    unsigned width;
    enum nw_architecture architecture;
  } row[] = {
      {"HCR", NW_REG_HCR, 32, NW_ARMV7},
      {"VTCR", NW_REG_VTCR, 32, NW_ARMV7},
      {"VTTBR", NW_REG_VTTBR, 64, NW_ARMV7},
      {"TTBCR", NW_REG_TTBCR, 32, NW_ARMV7},
      {"TTBR0", NW_REG_TTBR0, 64, NW_ARMV7},
      {"TTBR1", NW_REG_TTBR1, 64, NW_ARMV7},
      {"DACR", NW_REG_DACR, 32, NW_ARMV7},
      {"SCTLR", NW_REG_SCTLR, 32, NW_ARMV7},
      {"PRRR", NW_REG_PRRR_MAIR0, 32, NW_ARMV7},
      {"MAIR0", NW_REG_PRRR_MAIR0, 32, NW_ARMV7},
      {"NMRR", NW_REG_NMRR_MAIR1, 32, NW_ARMV7},
      {"MAIR1", NW_REG_NMRR_MAIR1, 32, NW_ARMV7},
      {"CONTEXTIDR", NW_REG_CONTEXTIDR, 32, NW_ARMV7},
      {"CR0", NW_X86_CR0, 64, NW_X86_64},
      {"CR3", NW_X86_CR3, 64, NW_X86_64},
      {"CR4", NW_X86_CR4, 64, NW_X86_64},
      {"EFER", NW_X86_EFER, 64, NW_X86_64},
      {"PKRU", NW_X86_PKRU, 32, NW_X86_64},
      {"AC", NW_X86_AC, 32, NW_X86_64},
      {"PAT", NW_X86_PAT, 64, NW_X86_64},
      {"nCR3", NW_X86_NESTED_ROOT, 64, NW_X86_64},
      {"EPTP", NW_X86_NESTED_ROOT, 64, NW_X86_64},
      {"hCR4", NW_X86_HOST_CR4, 64, NW_X86_64},
      {"hEFER", NW_X86_HOST_EFER, 64, NW_X86_64},
      {"VPID", NW_X86_VPID, 32, NW_X86_64},
      {"ASID", NW_X86_VPID, 32, NW_X86_64},
  };
  enum nw_architecture architecture;
  unsigned reg;
  for (unsigned i = 0; i < COUNT(row); i++) {
    assert_true(nw_register_by_name(row[i].name, &architecture, &reg));
    assert_int_equal(architecture, row[i].architecture);
    assert_int_equal(reg, row[i].reg);
    assert_int_equal(nw_register_width(architecture, reg), row[i].width);
  }
  reg = NW_REG_DACR;
  assert_false(nw_register_by_name("CR8", &architecture, &reg));
  assert_false(nw_register_by_name("dacr", &architecture, &reg));
  assert_int_equal(reg, NW_REG_DACR);
  assert_int_equal(nw_register_width(NW_X86_64, NW_X86_REGISTERS), 0);
}

static void what_contradicts_a_regime_is_refused_and_changes_nothing(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    enum nw_register reg;
    uint64_t value;
    enum nw_register_status status;
  } row[] = {
      {NW_REGIME_ARMV7_SHORT, NW_REG_TTBCR, 0x80000000, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_SHORT_S2, NW_REG_TTBCR, 0x80000000, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_LPAE, NW_REG_TTBCR, 0, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REG_TTBCR, 7, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_SHORT, NW_REG_HCR, 1, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_LPAE, NW_REG_HCR, 0x1000, NW_REGISTER_CONTRADICTS},
      {NW_REGIME_ARMV7_LPAE, NW_REG_HCR, 4, NW_REGISTER_WRITTEN},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REG_HCR, 0x1001, NW_REGISTER_WRITTEN},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REG_SCTLR, 0x100000000, NW_REGISTER_TOO_WIDE},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REG_SCTLR, 0xffffffff, NW_REGISTER_WRITTEN},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REG_VTTBR, UINT64_MAX, NW_REGISTER_WRITTEN},
      {NW_REGIME_ARMV7_LPAE_S2, NW_REGISTERS, 0, NW_REGISTER_UNKNOWN},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nw_regime regime, before;
    assert_true(nw_regime_init(&regime, row[i].kind));
    before = regime;
    assert_int_equal(nw_regime_write(&regime, row[i].reg, row[i].value), row[i].status);
    if (row[i].status != NW_REGISTER_WRITTEN)
      assert_memory_equal(regime.reg, before.reg, sizeof(regime.reg));
    else
      assert_int_equal(regime.reg[row[i].reg], row[i].value);
  }
  struct nw_regime regime;
  assert_false(nw_regime_init(&regime, NW_REGIMES));
}

static void out_of_reset_both_stages_are_off(void **state) {
  (void)state;
  for (unsigned kind = 0; kind < ARM_REGIMES; kind++) {
    struct nw_regime regime;
    assert_true(nw_regime_init(&regime, (enum nw_regime_kind)kind));
    assert_false(regime.s1_enabled);
    assert_false(regime.s2_enabled);
    assert_int_equal(regime.va_bits, 32);
    assert_int_equal(regime.ipa_bits, 40);
    assert_int_equal(regime.asid, 0);
    assert_int_equal(regime.vmid, 0);
    for (unsigned who = 0; who < 6; who++) { /* AP 011: everything, as SCTLR's reset value has it */
      unsigned stage;
      nw_regime_write(&regime, NW_REG_DACR, 1);
      assert_int_equal(nw_rights_judge(&regime, 3 | NWI_R_S2_ALL, (enum nw_access)(who % 3),
                                       (enum nw_privilege)(who / 3), &stage),
                       NW_FAULT_NONE);
    }
  }
}

/* Short descriptors use CONTEXTIDR's low byte; the rest of it is the process number. */
static void the_asid_of_short_descriptors_is_a_byte_of_contextidr(void **state) {
  (void)state;
  struct nw_regime regime;
  assert_true(nw_regime_init(&regime, NW_REGIME_ARMV7_SHORT));
  nw_regime_write(&regime, NW_REG_TTBR0, 0x00ff000000000000);
  nw_regime_write(&regime, NW_REG_CONTEXTIDR, 0x123457cd);
  assert_int_equal(regime.asid, 0xcd);
}

static void same_root(const struct nw_root *a, const struct nw_root *b) {
  assert_int_equal(a->base, b->base);
  assert_int_equal(a->start_level, b->start_level);
  assert_int_equal(a->input_bits, b->input_bits);
  assert_int_equal(a->disabled, b->disabled);
}

/* B4.1.153: bits that are not N, PD0, PD1, or T0SZ, EPD0, T1SZ, A1, EPD1 choose no root. */
static void reserved_bits_of_ttbcr_and_vtcr_are_ignored(void **state) {
  (void)state;
  struct nw_regime plain, odd;
  nw_regime_init(&plain, NW_REGIME_ARMV7_SHORT);
  odd = plain;
  nw_regime_write(&odd, NW_REG_TTBCR, 0x7fffffc8);
  same_root(&plain.s1_root[0], &odd.s1_root[0]);
  same_root(&plain.s1_root[1], &odd.s1_root[1]);
  nw_regime_init(&plain, NW_REGIME_ARMV7_LPAE_S2);
  odd = plain;
  nw_regime_write(&odd, NW_REG_TTBCR, 0xff387f78);
  nw_regime_write(&odd, NW_REG_VTCR, 0xffffff20);
  same_root(&plain.s1_root[0], &odd.s1_root[0]);
  same_root(&plain.s1_root[1], &odd.s1_root[1]);
  same_root(&plain.s2_root, &odd.s2_root);
}

/* -- encoders ---------------------------------------------------------------------------------- */

static uint64_t rights_of(unsigned stage, unsigned rights) {
  bool user = stage == 2 || (rights & MAP_USER), write = rights & MAP_WRITE;
  bool read = stage == 1 || (rights & MAP_READ), execute = read && (rights & MAP_EXECUTE);
  uint64_t each = (read ? 1u : 0) | (write ? 2u : 0) | (execute ? 4u : 0);
  return (user ? each : 0) | each << 3;
}

/* Maps a page of each size and all rights, and looks at it with the walker. */
static void check_encoder(enum nw_regime_kind kind, unsigned stage, unsigned log2,
                          unsigned rights) {
  struct tables *tables = tables_new(kind);
  bool wide = log2 == 24 || kind == NW_REGIME_ARMV7_LPAE || stage == 2;
  uint64_t page = (uint64_t)1 << log2;
  uint64_t va = 0xb6d00000 & ~(page - 1), pa = (wide ? 0xa5c0000000 : 0x25c00000) & ~(page - 1);
  uint64_t offset = 0x2a5a5a5a & (page - 1);
  tables_map(tables, stage, va, pa, log2, rights);
  struct view seen = view_at(tables, stage == 2 ? NW_SCOPE_STAGE2 : NW_SCOPE_BOTH, va + offset);
  assert_int_equal(seen.aspect[VIEW_ALLOWED], rights_of(stage, rights));
  if (seen.aspect[VIEW_ALLOWED]) {
    bool device = rights & MAP_DEVICE;
    bool shared_short = kind == NW_REGIME_ARMV7_SHORT; /* "shareable" there is outer */
    assert_int_equal(seen.aspect[VIEW_PA], pa + offset);
    assert_int_equal(seen.aspect[VIEW_PAGE_LOG2], log2);
    assert_int_equal(seen.aspect[VIEW_ATTR], device ? 0x04 : 0xff);
    assert_int_equal(seen.aspect[VIEW_SH], device || shared_short ? 2 : 3);
    assert_int_equal(seen.aspect[VIEW_GLOBAL], stage == 2);
  }
  tables_free(tables);
}

static void what_the_encoders_write_the_walker_reads(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    unsigned stage, log2;
  } row[] = {
      {NW_REGIME_ARMV7_SHORT, 1, 12},   {NW_REGIME_ARMV7_SHORT, 1, 16},
      {NW_REGIME_ARMV7_SHORT, 1, 20},   {NW_REGIME_ARMV7_SHORT, 1, 24},
      {NW_REGIME_ARMV7_LPAE, 1, 12},    {NW_REGIME_ARMV7_LPAE, 1, 21},
      {NW_REGIME_ARMV7_LPAE, 1, 30},    {NW_REGIME_ARMV7_LPAE_S2, 2, 12},
      {NW_REGIME_ARMV7_LPAE_S2, 2, 21}, {NW_REGIME_ARMV7_LPAE_S2, 2, 30},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned rights = 0; rights < 32; rights++)
      check_encoder(row[i].kind, row[i].stage, row[i].log2, rights);
}

static void encoders_set_global_and_domain_where_they_are_asked(void **state) {
  (void)state;
  for (unsigned log2 = 12; log2 <= 24; log2 += 4) {
    struct nwi_leaf leaf = {.output = 0x11000000,
                            .page_log2 = (uint8_t)log2,
                            .writable = true,
                            .user = true,
                            .global = true,
                            .domain = 9};
    unsigned level = log2 < 20 ? 2 : 1, domain = log2 == 24 ? 0 : 9;
    struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT);
    tables_register(tables, NW_REG_DACR, 1u << 2 * domain);
    tables_map_raw(tables, 1, 0x22000000, level, nwi_format_armv7_short.encode_leaf(&leaf), 9);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0x22000123));
    assert_true(tables->global);
    tables_free(tables);
  }
}

/* Word by word, from the figures of B3.5.1, B3.6.1 and B3.6.2. */
static void encoders_write_the_words_of_the_manual(void **state) {
  (void)state;
  enum { R = 1, W = 2, X = 4, USER = 8, DEVICE = 16, GLOBAL = 32, DOMAIN = 9 };
  static const struct {
    const struct nw_format *format;
    uint64_t output, word;
    unsigned log2, rights;
  } row[] = {
      {&nwi_format_armv7_short, 0x12300000, 0x12311d2e, 20, W | X | USER | GLOBAL},
      {&nwi_format_armv7_short, 0x12300000, 0x12328536, 20, DEVICE},
      {&nwi_format_armv7_short, 0xa512000000, 0x12551d4e, 24, W | X | USER | GLOBAL},
      {&nwi_format_armv7_short, 0x12345000, 0x1234567e, 12, X | USER | GLOBAL},
      {&nwi_format_armv7_short, 0x12345000, 0x12345817, 12, W | DEVICE},
      {&nwi_format_armv7_short, 0x12340000, 0x1234143d, 16, W | X | USER | GLOBAL},
      {&nwi_format_armv7_short, 0x12340000, 0x12348a15, 16, DEVICE},
      {&nwi_format_lpae_s1, 0xab12345000, 0xab12345743, 12, W | X | USER | GLOBAL},
      {&nwi_format_lpae_s1, 0xab12200000, 0x004000ab12200f85, 21, DEVICE},
      {&nwi_format_lpae_s1, 0xab40000000, 0xab400007c1, 30, X | USER | GLOBAL},
      {&nwi_format_lpae_s2, 0xab12345000, 0xab123457ff, 12, R | W | X},
      {&nwi_format_lpae_s2, 0xab12200000, 0x004000ab12200745, 21, R | DEVICE},
      {&nwi_format_lpae_s2, 0xab40000000, 0xab400007bd, 30, W | X},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nwi_leaf leaf = {.output = row[i].output,
                            .page_log2 = (uint8_t)row[i].log2,
                            .readable = row[i].rights & R,
                            .writable = row[i].rights & W,
                            .executable = row[i].rights & X,
                            .user = row[i].rights & USER,
                            .global = row[i].rights & GLOBAL,
                            .device = row[i].rights & DEVICE,
                            .domain = DOMAIN};
    assert_int_equal(row[i].format->encode_leaf(&leaf), row[i].word);
  }
  assert_int_equal(nwi_format_armv7_short.encode_table(1, 0x12345c00, DOMAIN), 0x12345d21);
  assert_int_equal(nwi_format_lpae_s1.encode_table(1, 0xab12345000, DOMAIN), 0xab12345003);
  assert_int_equal(nwi_format_lpae_s2.encode_table(2, 0xab12345000, 0), 0xab12345003);
}

static void formats_have_the_manuals_levels(void **state) {
  (void)state;
  static const struct nw_format *const formats[] = {&nwi_format_armv7_short, &nwi_format_lpae_s1,
                                                    &nwi_format_lpae_s2};
  for (unsigned i = 0; i < 3; i++) {
    const struct nw_format *format = formats[i];
    assert_int_equal(format->descriptor_bytes, i == 0 ? 4 : 8);
    assert_int_equal(format->first_level, 1);
    assert_int_equal(format->last_level, i == 0 ? 2 : 3);
    assert_int_equal(format->shift[1], i == 0 ? 20 : 30);
    assert_int_equal(format->shift[2], i == 0 ? 12 : 21);
    if (i != 0)
      assert_int_equal(format->shift[3], 12);
  }
}

static void formats_have_leaves_of_the_manuals_sizes_alone(void **state) {
  (void)state;
  for (uint8_t log2 = 0; log2 < 64; log2++) {
    unsigned small = log2 == 12 || log2 == 16 ? 2 : log2 == 20 || log2 == 24 ? 1 : 0;
    unsigned large = log2 == 12 ? 3 : log2 == 21 ? 2 : log2 == 30 ? 1 : 0;
    assert_int_equal(nwi_format_armv7_short.leaf_level(log2), small);
    assert_int_equal(nwi_format_lpae_s1.leaf_level(log2), large);
    assert_int_equal(nwi_format_lpae_s2.leaf_level(log2), large);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(regimes_have_the_names_of_case_files),
      cmocka_unit_test(registers_have_the_manuals_names_and_widths),
      cmocka_unit_test(what_contradicts_a_regime_is_refused_and_changes_nothing),
      cmocka_unit_test(out_of_reset_both_stages_are_off),
      cmocka_unit_test(the_asid_of_short_descriptors_is_a_byte_of_contextidr),
      cmocka_unit_test(reserved_bits_of_ttbcr_and_vtcr_are_ignored),
      cmocka_unit_test(what_the_encoders_write_the_walker_reads),
      cmocka_unit_test(encoders_set_global_and_domain_where_they_are_asked),
      cmocka_unit_test(encoders_write_the_words_of_the_manual),
      cmocka_unit_test(formats_have_the_manuals_levels),
      cmocka_unit_test(formats_have_leaves_of_the_manuals_sizes_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
