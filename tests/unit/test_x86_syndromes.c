/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What x86-64 reports of a fault, bit by bit: the error code of #PF (SDM vol. 3, 4.7), EXITINFO1 of
 * #NPF (APM vol. 2, 15.25.6), the exit qualification of an EPT violation (SDM vol. 3, table 28-7),
 * each from a walk that met it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/tables.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0xffff9234567891abull
#define IPA 0x8b7a5b7000ull
#define PA 0xd5c0e00000ull
#define CR4_SMEP (1ull << 20)

enum { P = 1, W = 2, U = 4, RSVD = 8, ID = 16 };
#define FINAL (1ull << 32)
#define TABLE (1ull << 33)

static struct tables *mapped(enum nw_regime_kind kind) {
  struct tables *tables = tables_new(kind);
  tables_map(tables, 1, VA & ~0xfffull, IPA, 12, MAP_ALL);
  if (nw_regime_has_stage2(kind))
    tables_map(tables, 2, IPA, PA, 12, MAP_ALL);
  return tables;
}

static uint64_t code_of(const struct tables *tables, enum nw_syndrome_kind kind) {
  struct nw_syndrome syndrome = nw_fault_syndrome(&tables->regime, &tables->result.fault);
  assert_int_equal(syndrome.kind, kind);
  assert_int_equal(syndrome.far, VA);
  return syndrome.value[0] | (uint64_t)syndrome.value[1] << 32;
}

static const char accesses[] = "rwx";

/* The code of each of r, w and x, user's and supervisor's. */
static void expect_pf(struct tables *tables, unsigned cause, bool fetch_is_told) {
  for (unsigned access = 0; access < 3; access++)
    for (unsigned privileged = 0; privileged < 2; privileged++) {
      unsigned code = cause | (accesses[access] == 'w' ? W : 0u) | (privileged ? 0u : U) |
                      (accesses[access] == 'x' && fetch_is_told ? ID : 0u);
      assert_false(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access,
                               (enum nw_privilege)privileged, VA));
      assert_int_equal(code_of(tables, NW_SYNDROME_PF), code);
    }
}

/* I/D is told with NXE or SMEP alone; and stage 1's faults are the guest's under any stage 2. */
static void a_page_fault_tells_cause_access_and_who(void **state) {
  (void)state;
  for (unsigned kind = NW_REGIME_X86_64; kind <= NW_REGIME_X86_EPT; kind++)
    for (unsigned told = 0; told < 4; told++) {
      struct tables *tables = mapped((enum nw_regime_kind)kind);
      uint64_t leaf = tables_descriptor_pa(tables, 1, VA, 1);
      tables_register(tables, NW_X86_EFER, told & 1 ? X86_EFER : X86_EFER & ~0x800ull);
      tables_register(tables, NW_X86_CR4, told & 2 ? X86_CR4 | CR4_SMEP : X86_CR4);
      tables_put(tables, leaf, 8, IPA);
      expect_pf(tables, 0, told);
      tables_put(tables, leaf, 8, IPA | X86_PAGE | 1ull << 45);
      expect_pf(tables, P | RSVD, told);
      tables_free(tables);
    }
}

static void xd_without_nxe_is_a_reserved_bit_and_with_it_a_right(void **state) {
  (void)state;
  struct tables *tables = mapped(NW_REGIME_X86_64);
  tables_put(tables, tables_descriptor_pa(tables, 1, VA, 3), 8,
             tables_get(tables, tables_descriptor_pa(tables, 1, VA, 3), 8) | X86_XD);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
  tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 1, false);
  assert_int_equal(code_of(tables, NW_SYNDROME_PF), P | U | ID);
  tables_register(tables, NW_X86_EFER, X86_EFER & ~0x800ull);
  tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_RESERVED_BIT, 1, 3, false);
  assert_int_equal(code_of(tables, NW_SYNDROME_PF), P | U | RSVD);
  tables_free(tables);
}

/* Every nested access is a user's, whoever made it. */
static void expect_final_npf(struct tables *tables, unsigned cause, unsigned accesses_denied,
                             bool fetch_is_told) {
  for (unsigned access = 0; access < 3; access++)
    for (unsigned privileged = 0; privileged < 2; privileged++) {
      uint64_t code = FINAL | U | cause | (accesses[access] == 'w' ? W : 0u) |
                      (accesses[access] == 'x' && fetch_is_told ? ID : 0u);
      bool denied = accesses_denied >> access & 1;
      assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access,
                                   (enum nw_privilege)privileged, VA),
                       !denied);
      if (denied) {
        assert_int_equal(code_of(tables, NW_SYNDROME_NPF), code);
        assert_int_equal(tables->result.fault.ipa, IPA | (VA & 0xfff));
      }
    }
}

static void a_nested_page_fault_on_the_final_address(void **state) {
  (void)state;
  for (unsigned nxe = 0; nxe < 2; nxe++) {
    struct tables *tables = mapped(NW_REGIME_X86_SVM_NPT);
    uint64_t leaf = tables_descriptor_pa(tables, 2, IPA, 1);
    tables_register(tables, NW_X86_HOST_EFER, nxe ? 0x800 : 0);
    tables_put(tables, leaf, 8, 0);
    expect_final_npf(tables, 0, 7, nxe);
    tables_put(tables, leaf, 8, PA | (X86_PAGE & ~X86_U));
    expect_final_npf(tables, P, 7, nxe);
    tables_put(tables, leaf, 8, PA | (X86_PAGE & ~X86_W));
    expect_final_npf(tables, P, 1u << NW_WRITE, nxe);
    tables_put(tables, leaf, 8, PA | X86_PAGE | 1ull << 40);
    expect_final_npf(tables, P | RSVD, 7, nxe);
    tables_put(tables, leaf, 8, PA | X86_PAGE | X86_XD);
    expect_final_npf(tables, nxe ? P : P | RSVD, nxe ? 1u << NW_EXECUTE : 7, nxe);
    tables_free(tables);
  }
}

/* 15.25.6: always a data write of a user's, even for a fetch of the supervisor's. */
static void a_nested_page_fault_on_a_guest_table_is_a_user_write(void **state) {
  (void)state;
  static const struct {
    uint64_t leaf;
    unsigned code;
  } row[] = {
      {0, W | U},
      {X86_PAGE & ~X86_W, P | W | U},
      {X86_PAGE & ~X86_U, P | W | U},
      {X86_PAGE | 1ull << 40, P | W | U | RSVD},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned who = 0; who < 6; who++) {
      struct tables *tables = mapped(NW_REGIME_X86_SVM_NPT);
      uint64_t table = TABLES_IPA + 0x4000; /* the guest's level-3 table */
      tables_put(tables, tables_descriptor_pa(tables, 2, table, 1), 8,
                 (row[i].leaf ? table + TABLES_OFFSET : 0) | row[i].leaf);
      assert_false(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)(who % 3),
                               (enum nw_privilege)(who / 3), VA));
      assert_int_equal(code_of(tables, NW_SYNDROME_NPF), TABLE | row[i].code);
      assert_int_equal(tables->result.fault.ipa, table + (VA >> 30 & 511) * 8);
      tables_free(tables);
    }
}

/* Bits 2:0 the access, 5:3 what the entries allow together, 7 always, 8 the final address. */
static void an_ept_violation_on_the_final_address(void **state) {
  (void)state;
  for (unsigned flags = 0; flags < 2; flags++)
    for (unsigned allowed = 0; allowed < 8; allowed++)
      for (unsigned who = 0; who < 6; who++) {
        unsigned access = who % 3;
        if ((allowed & 3) == 2 || allowed >> access & 1)
          continue;
        struct tables *tables = mapped(NW_REGIME_X86_EPT);
        tables_register(tables, NW_X86_NESTED_ROOT,
                        TABLES_S2_PA | X86_EPTP_WALK_4 | (flags ? X86_EPTP_AD : 0));
        tables_put(tables, tables_descriptor_pa(tables, 2, IPA, 1), 8, PA | EPT_WB | allowed);
        assert_false(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access,
                                 (enum nw_privilege)(who / 3), VA));
        assert_int_equal(code_of(tables, NW_SYNDROME_EPT), 1u << access | allowed << 3 | 0x180);
        tables_free(tables);
      }
}

/* Without flags a read, and a write where a flag of the guest's is to be set; with them both
 * bits. */
static void an_ept_violation_on_a_guest_table(void **state) {
  (void)state;
  static const struct {
    bool ept_flags, guest_flags_are_set;
    unsigned allowed, code;
  } row[] = {
      {false, true, 0, 0x081},
      {false, true, EPT_X, 0x081 | 4 << 3},
      {false, false, EPT_R, 0x082 | 1 << 3},
      {false, false, EPT_R | EPT_X, 0x082 | 5 << 3},
      {true, true, 0, 0x083},
      {true, true, EPT_R, 0x083 | 1 << 3},
      {true, true, EPT_R | EPT_X, 0x083 | 5 << 3},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned who = 0; who < 6; who++) {
      struct tables *tables = mapped(NW_REGIME_X86_EPT);
      uint64_t table = TABLES_IPA + 0x4000, at = tables_descriptor_pa(tables, 1, VA, 3);
      tables_register(tables, NW_X86_NESTED_ROOT,
                      TABLES_S2_PA | X86_EPTP_WALK_4 | (row[i].ept_flags ? X86_EPTP_AD : 0));
      if (!row[i].guest_flags_are_set)
        tables_put(tables, at, 8, tables_get(tables, at, 8) & ~X86_A);
      tables_put(tables, tables_descriptor_pa(tables, 2, table, 1), 8,
                 (table + TABLES_OFFSET) | EPT_WB | row[i].allowed);
      assert_false(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)(who % 3),
                               (enum nw_privilege)(who / 3), VA));
      expect_fault(tables, row[i].allowed ? NW_FAULT_PERMISSION : NW_FAULT_TRANSLATION, 2, 1, true);
      assert_int_equal(code_of(tables, NW_SYNDROME_EPT), row[i].code);
      assert_int_equal(tables->result.fault.ipa, table + (VA >> 30 & 511) * 8);
      tables_free(tables);
    }
}

/* Bits 5:3 are those of the entries used for this gPA, not of another one walked before. */
static void a_violation_before_the_leaf_allows_nothing(void **state) {
  (void)state;
  for (unsigned level = 2; level <= 3; level++) {
    struct tables *tables = mapped(NW_REGIME_X86_EPT);
    tables_put(tables, tables_descriptor_pa(tables, 2, IPA, level), 8, 0);
    tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, level, false);
    assert_int_equal(code_of(tables, NW_SYNDROME_EPT), 0x182);
    tables_free(tables);
  }
}

/* What a walk has learnt before an abort is of another address. */
static void an_abort_tells_nothing_of_what_is_allowed(void **state) {
  (void)state;
  struct tables *tables = mapped(NW_REGIME_X86_EPT);
  uint64_t elsewhere = 1ull << 39; /* under another entry of the root */
  tables_map(tables, 1, VA & ~0xfffull, elsewhere, 12, MAP_ALL);
  tables_hole(tables, TABLES_S2_PA + 8, TABLES_S2_PA + 15);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 2, 4, false);
  assert_int_equal(tables->result.fault.s2_allows, 0);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_page_fault_tells_cause_access_and_who),
      cmocka_unit_test(xd_without_nxe_is_a_reserved_bit_and_with_it_a_right),
      cmocka_unit_test(a_nested_page_fault_on_the_final_address),
      cmocka_unit_test(a_nested_page_fault_on_a_guest_table_is_a_user_write),
      cmocka_unit_test(an_ept_violation_on_the_final_address),
      cmocka_unit_test(an_ept_violation_on_a_guest_table),
      cmocka_unit_test(a_violation_before_the_leaf_allows_nothing),
      cmocka_unit_test(an_abort_tells_nothing_of_what_is_allowed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
