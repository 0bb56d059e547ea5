/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/walker.h"

/* -- memory ------------------------------------------------------------------------------------ */

static struct tables_page *find_page(const struct tables *tables, uint64_t number) {
  struct tables_page *page = tables->page[number % TABLES_BUCKETS];
  while (page && page->number != number)
    page = page->next;
  return page;
}

static struct tables_page *make_page(struct tables *tables, uint64_t number) {
  struct tables_page *page = find_page(tables, number);
  if (page)
    return page;
  page = calloc(1, sizeof(*page));
  assert_non_null(page);
  page->number = number;
  page->next = tables->page[number % TABLES_BUCKETS];
  tables->page[number % TABLES_BUCKETS] = page;
  return page;
}

void tables_put(struct tables *tables, uint64_t pa, unsigned size, uint64_t value) {
  assert_int_equal(pa % size, 0);
  struct tables_page *page = make_page(tables, pa >> 12);
  for (unsigned i = 0; i < size; i++)
    page->byte[(pa & 0xfff) + i] = (uint8_t)(value >> 8 * i);
}

uint64_t tables_get(const struct tables *tables, uint64_t pa, unsigned size) {
  const struct tables_page *page = find_page(tables, pa >> 12);
  uint64_t value = 0;
  for (unsigned i = 0; page && i < size; i++)
    value |= (uint64_t)page->byte[(pa & 0xfff) + i] << 8 * i;
  return value;
}

void tables_hole(struct tables *tables, uint64_t first, uint64_t last) {
  assert_true(tables->holes < sizeof(tables->hole) / sizeof(tables->hole[0]));
  tables->hole[tables->holes].first = first;
  tables->hole[tables->holes++].last = last;
}

static bool in_hole(const struct tables *tables, uint64_t pa) {
  for (unsigned i = 0; i < tables->holes; i++)
    if (pa >= tables->hole[i].first && pa <= tables->hole[i].last)
      return true;
  return false;
}

/* -- a regime ---------------------------------------------------------------------------------- */

void tables_register(struct tables *tables, unsigned reg, uint64_t value) {
  assert_int_equal(nw_regime_write(&tables->regime, reg, value), NW_REGISTER_WRITTEN);
}

static void set_armv7(struct tables *tables, enum nw_regime_kind kind) {
  tables_register(tables, NW_REG_SCTLR, 1);
  tables_register(tables, NW_REG_TTBR0, TABLES_IPA);
  tables_register(tables, NW_REG_DACR, 0x55555555);
  if (kind == NW_REGIME_ARMV7_LPAE || kind == NW_REGIME_ARMV7_LPAE_S2)
    tables_register(tables, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  if (nw_regime_has_stage2(kind)) {
    tables_register(tables, NW_REG_VTCR, 0x58); /* SL0 = 1, S = 1, T0SZ = -8 */
    tables_register(tables, NW_REG_VTTBR, TABLES_S2_PA);
    tables_register(tables, NW_REG_HCR, 1);
  }
}

static void set_x86(struct tables *tables, enum nw_regime_kind kind) {
  tables_register(tables, NW_X86_CR0, X86_CR0);
  tables_register(tables, NW_X86_CR4, X86_CR4);
  tables_register(tables, NW_X86_EFER, X86_EFER);
  tables_register(tables, NW_X86_CR3, TABLES_IPA);
  if (kind == NW_REGIME_X86_SVM_NPT)
    tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA);
  if (kind == NW_REGIME_X86_EPT)
    tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4);
}

void tables_five_levels(struct tables *tables, unsigned stage) {
  const uint64_t *reg = tables->regime.reg;
  if (stage == 1)
    tables_register(tables, NW_X86_CR4, reg[NW_X86_CR4] | X86_LA57);
  else if (tables->regime.kind == NW_REGIME_X86_SVM_NPT)
    tables_register(tables, NW_X86_HOST_CR4, X86_LA57);
  else
    tables_register(tables, NW_X86_NESTED_ROOT,
                    (reg[NW_X86_NESTED_ROOT] & ~0x3full) | X86_EPTP_WALK_5);
}

struct tables *tables_new(enum nw_regime_kind kind) {
  struct tables *tables = calloc(1, sizeof(*tables));
  assert_non_null(tables);
  assert_true(nw_regime_init(&tables->regime, kind));
  tables->next_ipa = TABLES_IPA + 0x4000; /* a short-descriptor root is 16 KB */
  tables->next_pa = TABLES_S2_PA + 0x4000;
  tables->s2_table_log2 = 12;
  if (tables->regime.architecture == NW_ARMV7)
    set_armv7(tables, kind);
  else
    set_x86(tables, kind);
  return tables;
}

void tables_free(struct tables *tables) {
  for (unsigned i = 0; i < TABLES_BUCKETS; i++)
    while (tables->page[i]) {
      struct tables_page *page = tables->page[i];
      tables->page[i] = page->next;
      free(page);
    }
  free(tables);
}

/* -- tables ------------------------------------------------------------------------------------ */

uint64_t tables_guest_pa(const struct tables *tables, uint64_t ipa) {
  return tables->regime.s2_enabled ? ipa + TABLES_OFFSET : ipa;
}

static const struct nw_format *format_of(const struct tables *tables, unsigned stage) {
  return stage == 1 ? tables->regime.s1_format : tables->regime.s2_format;
}

/* Which root covers a VA: TTBR1 where the top bits are not all 0 (short), or all 1 or out of
 * TTBR0's reach (long). */
static const struct nw_root *root_of(const struct tables *tables, unsigned stage, uint64_t va) {
  const struct nw_regime *regime = &tables->regime;
  const struct nw_root *low = &regime->s1_root[0], *high = &regime->s1_root[1];
  if (stage == 2)
    return &regime->s2_root;
  if (regime->architecture != NW_ARMV7)
    return low;
  if (high->input_bits < 32 && va >> high->input_bits == 0xffffffffu >> high->input_bits)
    return high;
  return va >> low->input_bits ? high : low;
}

/* A guest table is reached through stage 2: its page is mapped, if it is not yet. */
static void map_table(struct tables *tables, uint64_t ipa) {
  uint64_t mask = ((uint64_t)1 << tables->s2_table_log2) - 1;
  uint64_t page = ipa & ~mask;
  if (!tables->regime.s2_enabled)
    return;
  const struct nw_format *format = tables->regime.s2_format;
  unsigned level = format->leaf_level(tables->s2_table_log2);
  uint64_t at = tables_descriptor_pa(tables, 2, ipa, level);
  if (at == 0 || tables_get(tables, at, 8) == 0)
    tables_map(tables, 2, page, page + TABLES_OFFSET, tables->s2_table_log2, MAP_ALL);
}

/* PA of a table word, as the hardware gets at it. */
static uint64_t word_pa(const struct tables *tables, unsigned stage, uint64_t address) {
  return stage == 1 ? tables_guest_pa(tables, address) : address;
}

static unsigned size_of(const struct tables *tables, unsigned stage) {
  return format_of(tables, stage)->descriptor_bytes;
}

static uint64_t swapped(const struct tables *tables, unsigned stage, uint64_t value) {
  if (stage == 2 || !tables->regime.big_endian)
    return value;
  return size_of(tables, 1) == 4 ? __builtin_bswap32((uint32_t)value) : __builtin_bswap64(value);
}

static uint64_t index_at(const struct nw_format *format, const struct nw_root *root,
                         uint64_t address, unsigned level) {
  unsigned top =
      level == root->start_level ? root->input_bits : format->shift[nwi_level_above(format, level)];
  return (address & (((uint64_t)1 << top) - 1)) >> format->shift[level];
}

/* Address of the table that a table descriptor names. */
static uint64_t table_of(const struct tables *tables, unsigned stage, uint64_t descriptor) {
  if (tables->regime.architecture != NW_ARMV7)
    return descriptor & 0xffffffffff000u;
  return size_of(tables, stage) == 4 ? descriptor & 0xfffffc00u : descriptor & 0xfffffff000u;
}

static uint64_t new_table(struct tables *tables, unsigned stage) {
  uint64_t *next = stage == 1 ? &tables->next_ipa : &tables->next_pa;
  uint64_t table = *next;
  *next += 0x1000;
  if (stage == 1)
    map_table(tables, table);
  return table;
}

uint64_t tables_map_raw(struct tables *tables, unsigned stage, uint64_t address, unsigned level,
                        uint64_t raw, unsigned domain) {
  const struct nw_format *format = format_of(tables, stage);
  const struct nw_root *root = root_of(tables, stage, address);
  unsigned bytes = format->descriptor_bytes;
  uint64_t table = root->base;
  for (unsigned at = root->start_level;; at = nwi_level_below(format, at)) {
    uint64_t word = table + index_at(format, root, address, at) * bytes;
    if (stage == 1)
      map_table(tables, word);
    uint64_t pa = word_pa(tables, stage, word);
    if (at == level) {
      tables_put(tables, pa, bytes, swapped(tables, stage, raw));
      return pa;
    }
    uint64_t there = swapped(tables, stage, tables_get(tables, pa, bytes));
    if (there == 0) {
      there = format->encode_table((uint8_t)at, new_table(tables, stage), (uint8_t)domain);
      tables_put(tables, pa, bytes, swapped(tables, stage, there));
    }
    table = table_of(tables, stage, there);
  }
}

uint64_t tables_descriptor_pa(const struct tables *tables, unsigned stage, uint64_t address,
                              unsigned level) {
  const struct nw_format *format = format_of(tables, stage);
  const struct nw_root *root = root_of(tables, stage, address);
  unsigned bytes = format->descriptor_bytes;
  uint64_t table = root->base;
  for (unsigned at = root->start_level;; at = nwi_level_below(format, at)) {
    uint64_t word = table + index_at(format, root, address, at) * bytes;
    uint64_t pa = word_pa(tables, stage, word);
    uint64_t there = swapped(tables, stage, tables_get(tables, pa, bytes));
    if (at == level || there == 0)
      return at == level ? pa : 0;
    table = table_of(tables, stage, there);
  }
}

void tables_map(struct tables *tables, unsigned stage, uint64_t address, uint64_t output,
                unsigned page_log2, unsigned rights) {
  const struct nw_format *format = format_of(tables, stage);
  struct nwi_leaf leaf = {
      .output = output,
      .page_log2 = (uint8_t)page_log2,
      .readable = (rights & MAP_READ) != 0,
      .writable = (rights & MAP_WRITE) != 0,
      .executable = (rights & MAP_EXECUTE) != 0,
      .user = (rights & MAP_USER) != 0,
      .device = (rights & MAP_DEVICE) != 0,
  };
  unsigned level = format->leaf_level((uint8_t)page_log2);
  assert_int_not_equal(level, 0);
  uint64_t raw = format->encode_leaf(&leaf);
  unsigned copies = 1u << (page_log2 - format->shift[level]);
  for (unsigned i = 0; i < copies; i++)
    tables_map_raw(tables, stage, address + ((uint64_t)i << format->shift[level]), level, raw, 0);
}

/* -- walks ------------------------------------------------------------------------------------- */

static void answer_read(struct tables *tables, const struct nw_step *step,
                        struct nw_answer *answer) {
  assert_int_equal(step->address % step->size, 0);
  assert_true(tables->reads < TABLES_LOG);
  answer->abort = in_hole(tables, step->address);
  answer->data = answer->abort ? 0 : tables_get(tables, step->address, step->size);
  tables->log[tables->reads] = *step;
  tables->aborted[tables->reads] = answer->abort;
  tables->read[tables->reads++] = answer->data;
}

/* ARMv7 never updates a descriptor. */
static void answer_update(struct tables *tables, const struct nw_step *step,
                          struct nw_answer *answer) {
  assert_int_not_equal(tables->regime.architecture, NW_ARMV7);
  assert_true(tables->updates < TABLES_LOG);
  if (tables->meanwhile)
    tables->meanwhile(tables, step);
  answer->abort = in_hole(tables, step->address);
  answer->data = answer->abort ? 0 : tables_get(tables, step->address, step->size);
  answer->hit = !answer->abort && answer->data == step->old_value;
  if (answer->hit)
    tables_put(tables, step->address, step->size, step->new_value);
  tables->reads_before[tables->updates] = tables->reads;
  tables->update[tables->updates++] = (struct tables_update){
      step->address, step->old_value, step->new_value, step->stage, step->level, answer->hit};
}

bool tables_walk_with(struct tables *tables, const struct nw_walk_options *options,
                      enum nw_scope scope, const struct nw_request *request) {
  struct nw_walk walk;
  struct nw_step step;
  tables->reads = 0;
  tables->updates = 0;
  memset(&walk, 0xa5, sizeof(walk)); /* nothing is left of the walk before */
  nw_walk_begin(&walk, &tables->regime, request, scope, options);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    if (step.kind == NW_STEP_READ)
      answer_read(tables, &step, &answer);
    else if (step.kind == NW_STEP_UPDATE)
      answer_update(tables, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  tables->result = *nw_walk_result(&walk);
  tables->references = *nw_walk_references(&walk);
  tables->global = tables->result.fault.type == NW_FAULT_NONE && nwi_walk_global(&walk);
  return tables->result.fault.type == NW_FAULT_NONE;
}

bool tables_walk(struct tables *tables, enum nw_scope scope, enum nw_access access,
                 enum nw_privilege privilege, uint64_t va) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = (uint8_t)privilege};
  return tables_walk_with(tables, NULL, scope, &request);
}

struct nw_descriptor tables_decode(const struct tables *tables, unsigned stage, unsigned level,
                                   uint64_t raw) {
  struct nwi_decode_context context = {
      .regime = &tables->regime, .level = (uint8_t)level, .access = NW_READ};
  struct nw_descriptor meaning = {0};
  format_of(tables, stage)->decode(&context, raw, &meaning);
  return meaning;
}

uint64_t tables_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}
