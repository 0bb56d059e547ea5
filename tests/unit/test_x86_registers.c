/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of x86-64: what they are after reset, what is refused and what ignored, what they make
 * of the walk; and the encoders of descriptors. SDM vol. 3, 2.5, 4.1, 4.5, 4.10.1, 25.6.11 and
 * 27.2.1.1; APM vol. 2, 15.25.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/mmu.h>

#include "support/tables.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PCIDE (1ull << 17)

static const enum nw_regime_kind kinds[] = {NW_REGIME_X86_64, NW_REGIME_X86_SVM_NPT,
                                            NW_REGIME_X86_EPT};

static struct nw_regime reset(enum nw_regime_kind kind) {
  struct nw_regime regime;
  assert_true(nw_regime_init(&regime, kind));
  return regime;
}

static void regimes_and_their_names(void **state) {
  (void)state;
  static const char *const names[] = {"x86-64", "x86-svm-npt", "x86-ept"};
  for (unsigned k = 0; k < COUNT(kinds); k++) {
    enum nw_regime_kind kind;
    assert_true(nw_regime_by_name(names[k], &kind));
    assert_int_equal(kind, kinds[k]);
    assert_string_equal(nw_regime_name(kind), names[k]);
    assert_int_equal(nw_regime_architecture(kind), NW_X86_64);
    assert_int_equal(nw_regime_has_stage2(kind), k != 0);
  }
}

/* Everything 0 but PAT and the host's NXE; nested paging is always on, EPT with an EPTP. */
static void after_reset(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++) {
    struct nw_regime regime = reset(kinds[k]);
    for (unsigned reg = 0; reg < NW_X86_REGISTERS; reg++)
      assert_int_equal(regime.reg[reg], reg == NW_X86_PAT         ? 0x0007040600070406
                                        : reg == NW_X86_HOST_EFER ? 0x800
                                                                  : 0);
    assert_false(regime.s1_enabled);
    assert_int_equal(regime.s2_enabled, kinds[k] == NW_REGIME_X86_SVM_NPT);
    assert_int_equal(regime.capabilities.maxphyaddr, 40);
    assert_true(regime.capabilities.execute_only && regime.capabilities.ept_ad &&
                regime.capabilities.gigabyte_pages);
  }
}

/* -- what is refused --------------------------------------------------------------------------- */

static const struct {
  enum nw_regime_kind kind;
  unsigned reg;
  uint64_t value;
  enum nw_register_status status;
} writes[] = {
    /* MOV to CR3: no address bits at or above MAXPHYADDR; bit 63 with CR4.PCIDE alone */
    {NW_REGIME_X86_64, NW_X86_CR3, 0x000000ffffffffff, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_64, NW_X86_CR3, 0x0000010000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_64, NW_X86_CR3, 0x0008000000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_64, NW_X86_CR3, 0x0010000000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_64, NW_X86_CR3, 0x4000000000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_64, NW_X86_CR3, 0x8000000000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_SVM_NPT, NW_X86_CR3, 0x0000010000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_CR3, 0x0000010000000000, NW_REGISTER_CONTRADICTS},
    /* VMRUN: nCR3 */
    {NW_REGIME_X86_SVM_NPT, NW_X86_NESTED_ROOT, 0x000000ffffffffff, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_SVM_NPT, NW_X86_NESTED_ROOT, 0x0000010000000000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_SVM_NPT, NW_X86_NESTED_ROOT, 0x8000000000000000, NW_REGISTER_CONTRADICTS},
    /* VM entry: EPTP */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400001e, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1234000018, NW_REGISTER_WRITTEN}, /* uncacheable */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1234000026, NW_REGISTER_WRITTEN}, /* five levels */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400005e, NW_REGISTER_WRITTEN}, /* flags */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1234000019, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400001a, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400001c, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400001d, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400001f, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1234000006, NW_REGISTER_CONTRADICTS}, /* one level */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1234000016, NW_REGISTER_CONTRADICTS}, /* three */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400002e, NW_REGISTER_CONTRADICTS}, /* six */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400003e, NW_REGISTER_CONTRADICTS}, /* eight */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400009e, NW_REGISTER_CONTRADICTS}, /* bit 7 */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x123400081e, NW_REGISTER_CONTRADICTS}, /* bit 11 */
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1000000001e, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x800000000000001e, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0x1000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_NESTED_ROOT, 0, NW_REGISTER_WRITTEN},
    /* the rest */
    {NW_REGIME_X86_64, NW_X86_AC, 1, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_64, NW_X86_AC, 2, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_EPT, NW_X86_VPID, 0x1fff, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_EPT, NW_X86_VPID, 0x2000, NW_REGISTER_CONTRADICTS},
    {NW_REGIME_X86_64, NW_X86_PKRU, 0xffffffff, NW_REGISTER_WRITTEN},
    {NW_REGIME_X86_64, NW_X86_PKRU, 0x100000000, NW_REGISTER_TOO_WIDE},
    {NW_REGIME_X86_64, NW_X86_REGISTERS, 0, NW_REGISTER_UNKNOWN},
};

static void what_mov_and_vm_entry_refuse_is_refused_and_changes_nothing(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(writes); i++) {
    struct nw_regime regime = reset(writes[i].kind), before;
    memcpy(&before, &regime, sizeof(before));
    unsigned status = nw_regime_write(&regime, writes[i].reg, writes[i].value);
    if (status != writes[i].status)
      fail_msg("row %u: status %u, expected %u", i, status, writes[i].status);
    if (status == NW_REGISTER_WRITTEN)
      assert_int_equal(regime.reg[writes[i].reg], writes[i].value);
    else
      assert_memory_equal(&regime, &before, sizeof(before));
  }
}

/* The widths that CPUID may tell: an address bit is refused from there on. */
static void maxphyaddr_draws_the_line(void **state) {
  (void)state;
  static const unsigned roots[] = {NW_X86_CR3, NW_X86_NESTED_ROOT};
  for (unsigned width = 32; width <= 52; width++)
    for (unsigned i = 0; i < COUNT(roots); i++) {
      struct nw_regime regime = reset(NW_REGIME_X86_SVM_NPT);
      struct nw_capabilities capabilities = nw_default_capabilities;
      capabilities.maxphyaddr = (uint8_t)width;
      assert_true(nw_regime_set_capabilities(&regime, &capabilities));
      for (unsigned bit = 12; bit < 64; bit++)
        assert_int_equal(nw_regime_write(&regime, roots[i], 1ull << bit),
                         bit < width ? NW_REGISTER_WRITTEN : NW_REGISTER_CONTRADICTS);
    }
}

static void capabilities_that_no_machine_has_are_refused(void **state) {
  (void)state;
  struct nw_regime regime = reset(NW_REGIME_X86_EPT);
  struct nw_capabilities capabilities = nw_default_capabilities;
  for (unsigned width = 0; width < 256; width++) {
    capabilities.maxphyaddr = (uint8_t)width;
    assert_int_equal(nw_regime_set_capabilities(&regime, &capabilities),
                     width >= 32 && width <= 52);
  }
  assert_int_equal(regime.capabilities.maxphyaddr, 52);
  /* and those under which a register could not have been written */
  assert_int_equal(nw_regime_write(&regime, NW_X86_CR3, 1ull << 45), NW_REGISTER_WRITTEN);
  capabilities.maxphyaddr = 45;
  assert_false(nw_regime_set_capabilities(&regime, &capabilities));
  assert_int_equal(regime.capabilities.maxphyaddr, 52);
  assert_int_equal(regime.s1_root[0].base, 1ull << 45);
  capabilities.maxphyaddr = 46;
  assert_int_equal(nw_regime_write(&regime, NW_X86_NESTED_ROOT, 0x5e), NW_REGISTER_WRITTEN);
  capabilities.ept_ad = false;
  assert_false(nw_regime_set_capabilities(&regime, &capabilities));
  assert_true(regime.capabilities.ept_ad);
  capabilities.ept_ad = true;
  assert_true(nw_regime_set_capabilities(&regime, &capabilities));
}

static void a_machine_without_ept_flags_refuses_eptp_bit_6(void **state) {
  (void)state;
  struct nw_regime regime = reset(NW_REGIME_X86_EPT);
  struct nw_capabilities capabilities = nw_default_capabilities;
  capabilities.ept_ad = false;
  assert_true(nw_regime_set_capabilities(&regime, &capabilities));
  assert_int_equal(nw_regime_write(&regime, NW_X86_NESTED_ROOT, 0x5e), NW_REGISTER_CONTRADICTS);
  assert_int_equal(nw_regime_write(&regime, NW_X86_NESTED_ROOT, 0x1e), NW_REGISTER_WRITTEN);
}

static void an_mmu_is_built_for_a_machine_that_can_be(void **state) {
  (void)state;
  struct nw_mmu_config config = {.regime = NW_REGIME_X86_EPT, .walkers = 1};
  char error[100];
  struct nw_mmu *mmu = nw_mmu_create(&config, error, sizeof(error));
  assert_non_null(mmu);
  assert_int_equal(nw_mmu_regime(mmu)->capabilities.maxphyaddr, 40);
  nw_mmu_destroy(mmu);
  config.capabilities = (struct nw_capabilities){.maxphyaddr = 46};
  mmu = nw_mmu_create(&config, error, sizeof(error));
  assert_non_null(mmu);
  assert_false(nw_mmu_regime(mmu)->capabilities.execute_only);
  assert_int_equal(nw_mmu_write_register(mmu, NW_X86_CR3, 1ull << 45), NW_REGISTER_WRITTEN);
  nw_mmu_destroy(mmu);
  config.capabilities.maxphyaddr = 53;
  assert_null(nw_mmu_create(&config, error, sizeof(error)));
  assert_non_null(strstr(error, "53"));
}

/* -- what follows from them -------------------------------------------------------------------- */

/* 4.10.4.1: bit 63 is an order, not a part of the register. */
static void cr3_names_the_root_and_with_pcide_the_pcid(void **state) {
  (void)state;
  struct nw_regime regime = reset(NW_REGIME_X86_64);
  nw_regime_write(&regime, NW_X86_CR3, 0x8b7a5b7fff);
  assert_int_equal(regime.s1_root[0].base, 0x8b7a5b7000);
  assert_int_equal(regime.asid, 0);
  nw_regime_write(&regime, NW_X86_CR4, PCIDE);
  assert_int_equal(regime.asid, 0xfff);
  assert_int_equal(nw_regime_write(&regime, NW_X86_CR3, X86_CR3_KEEP | 0x8b7a5b7abc),
                   NW_REGISTER_WRITTEN);
  assert_int_equal(regime.reg[NW_X86_CR3], 0x8b7a5b7abc);
  assert_int_equal(regime.s1_root[0].base, 0x8b7a5b7000);
  assert_int_equal(regime.asid, 0xabc);
  nw_regime_write(&regime, NW_X86_CR4, 0);
  assert_int_equal(regime.asid, 0);
}

static void la57_and_the_eptp_give_the_number_of_levels(void **state) {
  (void)state;
  for (unsigned five = 0; five < 2; five++) {
    struct nw_regime npt = reset(NW_REGIME_X86_SVM_NPT), ept = reset(NW_REGIME_X86_EPT);
    nw_regime_write(&npt, NW_X86_CR4, five ? X86_LA57 : 0);
    assert_int_equal(npt.s1_root[0].start_level, 4 + five);
    assert_int_equal(npt.s1_root[0].input_bits, five ? 57 : 48);
    assert_int_equal(npt.va_bits, five ? 57 : 48);
    assert_int_equal(npt.s2_root.start_level, 4);
    nw_regime_write(&npt, NW_X86_HOST_CR4, five ? X86_LA57 : 0);
    nw_regime_write(&npt, NW_X86_CR4, 0);
    assert_int_equal(npt.s1_root[0].start_level, 4);
    assert_int_equal(npt.s2_root.start_level, 4 + five);
    nw_regime_write(&ept, NW_X86_HOST_CR4, X86_LA57); /* AMD's: nothing to EPT */
    nw_regime_write(&ept, NW_X86_NESTED_ROOT, 0x1000 | (five ? 0x26 : 0x1e));
    assert_int_equal(ept.s2_root.start_level, 4 + five);
    assert_int_equal(ept.s2_root.input_bits, five ? 57 : 48);
    assert_int_equal(ept.s2_root.base, 0x1000);
  }
}

static void stage_2_is_on_as_the_regime_has_it(void **state) {
  (void)state;
  struct nw_regime native = reset(NW_REGIME_X86_64), npt = reset(NW_REGIME_X86_SVM_NPT);
  struct nw_regime ept = reset(NW_REGIME_X86_EPT);
  nw_regime_write(&native, NW_X86_NESTED_ROOT, 0x1000);
  assert_false(native.s2_enabled);
  nw_regime_write(&npt, NW_X86_NESTED_ROOT, 0);
  assert_true(npt.s2_enabled && npt.s2_flags);
  nw_regime_write(&ept, NW_X86_NESTED_ROOT, 0x101e);
  assert_true(ept.s2_enabled && !ept.s2_flags);
  assert_int_equal(ept.s1_read_access, NW_READ);
  nw_regime_write(&ept, NW_X86_NESTED_ROOT, 0x105e);
  assert_true(ept.s2_flags);
  assert_int_equal(ept.s1_read_access, NW_WRITE);
  nw_regime_write(&ept, NW_X86_NESTED_ROOT, 0);
  assert_false(ept.s2_enabled);
}

/* Bits that nothing here follows from. */
static void other_bits_of_the_control_registers_are_kept_and_change_nothing(void **state) {
  (void)state;
  struct nw_regime plain = reset(NW_REGIME_X86_64), noisy = plain;
  nw_regime_write(&noisy, NW_X86_CR0, 0x7ffeffff & ~(1ull << 16)); /* no PG, no WP */
  nw_regime_write(&noisy, NW_X86_CR4, 0xffffffffff8ddf7f & ~0x701080ull & ~PCIDE);
  nw_regime_write(&noisy, NW_X86_EFER, ~0x800ull);
  nw_regime_write(&noisy, NW_X86_HOST_EFER, ~0ull);
  nw_regime_write(&noisy, NW_X86_HOST_CR4, ~0ull);
  assert_int_equal(noisy.reg[NW_X86_EFER], ~0x800ull);
  memcpy(noisy.reg, plain.reg, sizeof(plain.reg));
  assert_memory_equal(&noisy, &plain, sizeof(plain));
}

/* -- encoders ---------------------------------------------------------------------------------- */

enum { R = 1, WR = 2, X = 4, USER = 8, DEVICE = 16, GLOBAL = 32, CLEAN = 64 };

/* Word by word, from tables 4-14 to 4-20 and 29-1 to 29-7. */
static void encoders_write_the_words_of_the_manual(void **state) {
  (void)state;
  static const struct {
    const struct nw_format *format;
    uint64_t output, word;
    unsigned log2, rights;
  } row[] = {
      {&nwi_format_x86_64, 0xab12345000, 0x000000ab12345067, 12, WR | X | USER},
      {&nwi_format_x86_64, 0xab12345000, 0x800000ab12345161, 12, GLOBAL},
      {&nwi_format_x86_64, 0xab12345fff, 0x000000ab12345021, 12, X | CLEAN},
      {&nwi_format_x86_64, 0xab12200000, 0x800000ab122000f9, 21, DEVICE},
      {&nwi_format_x86_64, 0xab123fffff, 0x000000ab122001e5, 21, X | USER | GLOBAL},
      {&nwi_format_x86_64, 0xab40000000, 0x800000ab400000e7, 30, WR | USER},
      {&nwi_format_npt, 0xab12345000, 0x000000ab12345067, 12, R | WR | X},
      {&nwi_format_npt, 0xab12345000, 0x800000ab12345065, 12, R | GLOBAL},
      {&nwi_format_npt, 0xab12345000, 0x000000ab12345063, 12, WR | X | USER},
      {&nwi_format_npt, 0xab12200000, 0x800000ab122000bf, 21, R | WR | DEVICE | CLEAN},
      {&nwi_format_npt, 0xab40000000, 0x000000ab400000e5, 30, R | X},
      {&nwi_format_ept, 0xab12345000, 0x000000ab12345337, 12, R | WR | X},
      {&nwi_format_ept, 0xab12345000, 0x000000ab12345131, 12, R | CLEAN},
      {&nwi_format_ept, 0xab12200000, 0x000000ab12200383, 21, R | WR | DEVICE},
      {&nwi_format_ept, 0xab40000000, 0x000000ab400003b4, 30, X},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nwi_leaf leaf = {.output = row[i].output,
                            .page_log2 = (uint8_t)row[i].log2,
                            .readable = row[i].rights & R,
                            .writable = row[i].rights & WR,
                            .executable = row[i].rights & X,
                            .user = row[i].rights & USER,
                            .global = row[i].rights & GLOBAL,
                            .device = row[i].rights & DEVICE,
                            .clean = row[i].rights & CLEAN};
    assert_int_equal(row[i].format->encode_leaf(&leaf), row[i].word);
  }
  assert_int_equal(nwi_format_x86_64.encode_table(4, 0xab12345fff, 9), 0xab12345027);
  assert_int_equal(nwi_format_npt.encode_table(5, 0xab12345000, 9), 0xab12345027);
  assert_int_equal(nwi_format_ept.encode_table(2, 0xab12345000, 9), 0xab12345107);
}

static void formats_have_the_manuals_levels_and_sizes(void **state) {
  (void)state;
  static const struct nw_format *const formats[] = {&nwi_format_x86_64, &nwi_format_npt,
                                                    &nwi_format_ept};
  static const uint8_t shift[] = {0, 12, 21, 30, 39, 48};
  for (unsigned i = 0; i < COUNT(formats); i++) {
    const struct nw_format *format = formats[i];
    assert_int_equal(format->descriptor_bytes, 8);
    assert_int_equal(format->first_level, 5);
    assert_int_equal(format->last_level, 1);
    assert_memory_equal(format->shift, shift, sizeof(shift));
    for (unsigned level = 1; level <= 5; level++)
      assert_int_equal(nwi_level_below(format, level), level - 1);
    for (unsigned level = 1; level < 5; level++)
      assert_int_equal(nwi_table_log2(format, level), 9);
    for (uint8_t log2 = 0; log2 < 64; log2++)
      assert_int_equal(format->leaf_level(log2), log2 == 12   ? 1
                                                 : log2 == 21 ? 2
                                                 : log2 == 30 ? 3
                                                              : 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(regimes_and_their_names),
      cmocka_unit_test(after_reset),
      cmocka_unit_test(what_mov_and_vm_entry_refuse_is_refused_and_changes_nothing),
      cmocka_unit_test(maxphyaddr_draws_the_line),
      cmocka_unit_test(capabilities_that_no_machine_has_are_refused),
      cmocka_unit_test(a_machine_without_ept_flags_refuses_eptp_bit_6),
      cmocka_unit_test(an_mmu_is_built_for_a_machine_that_can_be),
      cmocka_unit_test(cr3_names_the_root_and_with_pcide_the_pcid),
      cmocka_unit_test(la57_and_the_eptp_give_the_number_of_levels),
      cmocka_unit_test(stage_2_is_on_as_the_regime_has_it),
      cmocka_unit_test(other_bits_of_the_control_registers_are_kept_and_change_nothing),
      cmocka_unit_test(encoders_write_the_words_of_the_manual),
      cmocka_unit_test(formats_have_the_manuals_levels_and_sizes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
