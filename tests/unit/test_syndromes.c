/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the architecture reports of each fault: DDI 0406C B3.13, tables B3-23 and B3-24 (fault
 * status) and B3-25 (HSR), typed in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0x12345678u
#define WNR 0x800u

static struct nw_syndrome syndrome_of(enum nw_regime_kind kind, struct nw_fault fault) {
  struct nw_regime regime;
  assert_true(nw_regime_init(&regime, kind));
  return nw_fault_syndrome(&regime, &fault);
}

/* Domain 5. It is reported for domain faults, and at level 2 for translation, access flag and
 * external abort; with LPAE implemented it is UNKNOWN, 0 here, for permission faults. */
static void short_format_fault_status(void **state) {
  (void)state;
  static const struct {
    uint8_t type, level;
    uint32_t dfsr, ifsr;
  } row[] = {
      {NW_FAULT_ALIGNMENT, 0, 0x001, 0x001},      {NW_FAULT_TRANSLATION, 1, 0x005, 0x005},
      {NW_FAULT_TRANSLATION, 2, 0x057, 0x007},    {NW_FAULT_ACCESS_FLAG, 1, 0x003, 0x003},
      {NW_FAULT_ACCESS_FLAG, 2, 0x056, 0x006},    {NW_FAULT_DOMAIN, 1, 0x059, 0x009},
      {NW_FAULT_DOMAIN, 2, 0x05b, 0x00b},         {NW_FAULT_PERMISSION, 1, 0x00d, 0x00d},
      {NW_FAULT_PERMISSION, 2, 0x00f, 0x00f},     {NW_FAULT_EXTERNAL_ABORT, 1, 0x00c, 0x00c},
      {NW_FAULT_EXTERNAL_ABORT, 2, 0x05e, 0x00e},
  };
  static const enum nw_regime_kind kind[] = {NW_REGIME_ARMV7_SHORT, NW_REGIME_ARMV7_SHORT_S2};
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned k = 0; k < 2; k++)
      for (unsigned access = 0; access < 3; access++) {
        struct nw_fault fault = {.type = row[i].type,
                                 .stage = 1,
                                 .level = row[i].level,
                                 .access = (uint8_t)access,
                                 .domain = 5,
                                 .va = VA};
        struct nw_syndrome syndrome = syndrome_of(kind[k], fault);
        bool fetch = access == NW_EXECUTE;
        assert_int_equal(syndrome.kind, fetch ? NW_SYNDROME_IFSR : NW_SYNDROME_DFSR);
        assert_int_equal(syndrome.value[0],
                         fetch ? row[i].ifsr : row[i].dfsr | (access == NW_WRITE ? WNR : 0));
        assert_int_equal(syndrome.value[1], 0);
        assert_int_equal(syndrome.far, VA);
      }
}

static void long_format_fault_status(void **state) {
  (void)state;
  static const struct {
    uint8_t type;
    uint32_t status; /* of level 0; bit 9 says "long format" */
  } row[] = {
      {NW_FAULT_TRANSLATION, 0x204},
      {NW_FAULT_ACCESS_FLAG, 0x208},
      {NW_FAULT_PERMISSION, 0x20c},
      {NW_FAULT_EXTERNAL_ABORT, 0x214},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (uint8_t level = 1; level <= 3; level++)
      for (unsigned access = 0; access < 3; access++) {
        struct nw_fault fault = {
            .type = row[i].type, .stage = 1, .level = level, .access = (uint8_t)access, .va = VA};
        struct nw_syndrome syndrome = syndrome_of(NW_REGIME_ARMV7_LPAE, fault);
        assert_int_equal(syndrome.kind, access == NW_EXECUTE ? NW_SYNDROME_IFSR : NW_SYNDROME_DFSR);
        assert_int_equal(syndrome.value[0],
                         (row[i].status + level) | (access == NW_WRITE ? WNR : 0));
      }
  struct nw_fault alignment = {.type = NW_FAULT_ALIGNMENT, .stage = 1, .access = NW_READ};
  assert_int_equal(syndrome_of(NW_REGIME_ARMV7_LPAE, alignment).value[0], 0x221);
}

/* EC 0x24 or 0x20, IL = 1, ISV = 0; S1PTW and WnR, which is the original access's; HPFAR holds the
 * IPA for translation and access flag faults, and for permission faults on a walk. */
static void hyp_syndrome_of_stage_2_faults(void **state) {
  (void)state;
  static const struct {
    uint8_t type, fsc;
    bool hpfar, hpfar_on_walk;
  } row[] = {
      {NW_FAULT_TRANSLATION, 0x04, true, true},
      {NW_FAULT_ACCESS_FLAG, 0x08, true, true},
      {NW_FAULT_PERMISSION, 0x0c, false, true},
      {NW_FAULT_EXTERNAL_ABORT, 0x14, false, false},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned variant = 0; variant < 36; variant++) {
      unsigned access = variant % 3, level = variant / 3 % 3 + 1;
      bool s1walk = variant / 9 % 2;
      enum nw_regime_kind kind = variant / 18 ? NW_REGIME_ARMV7_LPAE_S2 : NW_REGIME_ARMV7_SHORT_S2;
      struct nw_fault fault = {.type = row[i].type,
                               .stage = 2,
                               .level = (uint8_t)level,
                               .s1walk = s1walk,
                               .access = (uint8_t)access,
                               .failing_access = (uint8_t)(s1walk ? NW_READ : access),
                               .domain = 5,
                               .va = VA,
                               .ipa = 0xabcdef1234};
      struct nw_syndrome syndrome = syndrome_of(kind, fault);
      uint32_t ec_il = access == NW_EXECUTE ? 0x82000000 : 0x92000000;
      uint32_t hsr =
          ec_il | (s1walk ? 0x80u : 0) | (access == NW_WRITE ? 0x40u : 0) | (row[i].fsc + level);
      bool has_ipa = s1walk ? row[i].hpfar_on_walk : row[i].hpfar;
      assert_int_equal(syndrome.kind, NW_SYNDROME_HSR);
      assert_int_equal(syndrome.value[0], hsr);
      assert_int_equal(syndrome.value[1], has_ipa ? 0xabcdef10 : 0);
      assert_int_equal(syndrome.far, VA);
    }
}

/* The same from real walks: what a case file's answer would say. */
static uint32_t walked(struct tables *tables, enum nw_access access, uint32_t *second) {
  assert_false(tables_walk(tables, NW_SCOPE_BOTH, access, NW_USER, VA));
  struct nw_syndrome syndrome = nw_fault_syndrome(&tables->regime, &tables->result.fault);
  *second = syndrome.value[1];
  return syndrome.value[0];
}

static void walks_of_short_descriptors_report_their_domain(void **state) {
  (void)state;
  uint32_t none;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT);
  assert_int_equal(walked(tables, NW_WRITE, &none), 0x805);
  tables_map_raw(tables, 1, VA, 2, 0, 0xb);
  assert_int_equal(walked(tables, NW_READ, &none), 0x0b7);
  assert_int_equal(walked(tables, NW_WRITE, &none), 0x8b7);
  assert_int_equal(walked(tables, NW_EXECUTE, &none), 0x007);
  tables_map_raw(tables, 1, VA, 2, 0xabcde032, 0xb);
  tables_register(tables, NW_REG_DACR, 0);
  assert_int_equal(walked(tables, NW_WRITE, &none), 0x8bb);
  tables_map_raw(tables, 1, VA, 1, 0xabb00c02 | 0xb << 5, 0);
  assert_int_equal(walked(tables, NW_WRITE, &none), 0x8b9);
  tables_free(tables);
}

static void walks_over_stage_2_report_the_descriptors_page_and_the_original_access(void **state) {
  (void)state;
  uint32_t hpfar;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  tables_map(tables, 1, VA, 0x85678000, 12, MAP_ALL);
  assert_int_equal(walked(tables, NW_WRITE, &hpfar), 0x92000045); /* level 1, final address */
  assert_int_equal(hpfar, 0x00856780);
  assert_int_equal(walked(tables, NW_EXECUTE, &hpfar), 0x82000005);
  uint64_t table = tables_descriptor_pa(tables, 1, VA, 2) - TABLES_OFFSET;
  tables_map_raw(tables, 2, table, 3, 0, 0);
  assert_int_equal(walked(tables, NW_WRITE, &hpfar), 0x920000c7); /* level 3, S1PTW, WnR */
  assert_int_equal(hpfar, table >> 12 << 4);
  tables_free(tables);
}

static void a_stage_2_permission_fault_reports_no_ipa_but_on_a_walk(void **state) {
  (void)state;
  uint32_t hpfar;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_LPAE_S2);
  tables_map(tables, 1, VA, 0x85678000, 12, MAP_ALL);
  tables_map(tables, 2, 0x85678000, 0x95678000, 12, MAP_READ);
  assert_int_equal(walked(tables, NW_WRITE, &hpfar), 0x9200004f);
  assert_int_equal(hpfar, 0);
  tables_map(tables, 2, TABLES_IPA, TABLES_IPA + TABLES_OFFSET, 12, MAP_WRITE);
  assert_int_equal(walked(tables, NW_WRITE, &hpfar), 0x920000cf);
  assert_int_equal(hpfar, 0x00400000);
  tables_free(tables);
}

static void fault_names_are_those_of_case_files(void **state) {
  (void)state;
  static const char *const name[] = {
      [NW_FAULT_TRANSLATION] = "translation",
      [NW_FAULT_ACCESS_FLAG] = "accessflag",
      [NW_FAULT_DOMAIN] = "domain",
      [NW_FAULT_PERMISSION] = "permission",
      [NW_FAULT_ADDRESS_SIZE] = "addrsize",
      [NW_FAULT_EXTERNAL_ABORT] = "extabort",
      [NW_FAULT_ALIGNMENT] = "alignment",
      [NW_FAULT_RESERVED_BIT] = "rsvd",
      [NW_FAULT_NONCANONICAL] = "noncanonical",
      [NW_FAULT_MISCONFIG] = "misconfig",
  };
  for (unsigned i = 1; i < NW_FAULT_TYPES; i++)
    assert_string_equal(nw_fault_name((enum nw_fault_type)i), name[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_format_fault_status),
      cmocka_unit_test(long_format_fault_status),
      cmocka_unit_test(hyp_syndrome_of_stage_2_faults),
      cmocka_unit_test(walks_of_short_descriptors_report_their_domain),
      cmocka_unit_test(walks_over_stage_2_report_the_descriptors_page_and_the_original_access),
      cmocka_unit_test(a_stage_2_permission_fault_reports_no_ipa_but_on_a_walk),
      cmocka_unit_test(fault_names_are_those_of_case_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
