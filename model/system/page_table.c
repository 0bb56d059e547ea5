/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: a table is all 0 before it is linked and all 0 again when it is released, so that
 * whoever gives out tables need not clear one that came back.
 */
#include "system/page_table.h"

#include "core/rights.h"

static uint64_t align_down(uint64_t value, unsigned log2) {
  return value >> log2 << log2;
}

/* log2 of the number of descriptors in a table of `level`. */
static unsigned index_bits(const struct nw_page_table *table, uint8_t level) {
  const struct nw_format *format = table->format;
  if (level == table->start_level)
    return table->input_bits - format->shift[level];
  return nwi_table_log2(format, level);
}

static uint64_t descriptor_address(const struct nw_page_table *table, uint64_t base, uint8_t level,
                                   uint64_t va) {
  uint64_t mask = (UINT64_C(1) << index_bits(table, level)) - 1;
  uint64_t index = (va >> table->format->shift[level]) & mask;
  return base + index * table->format->descriptor_bytes;
}

static uint64_t read_descriptor(const struct nw_page_table *table, uint64_t address) {
  return table->memory.read(table->memory.context, address, table->format->descriptor_bytes);
}

static bool write_descriptor(struct nw_page_table *table, uint64_t address, uint64_t value) {
  return table->memory.write(table->memory.context, address, table->format->descriptor_bytes,
                             value);
}

uint64_t nw_page_table_bytes(const struct nw_page_table *table, uint8_t level) {
  return (UINT64_C(1) << index_bits(table, level)) * table->format->descriptor_bytes;
}

void nw_page_table_entry(const struct nw_page_table *table, uint64_t va, uint8_t level,
                         struct nw_pte *pte) {
  const struct nw_format *format = table->format;
  struct nwi_decode_context context = {.regime = table->regime, .access = NW_READ};
  uint64_t base = table->root;
  pte->meaning = (struct nw_descriptor){0};
  for (context.level = table->start_level;;
       context.level = nwi_level_below(format, context.level)) {
    pte->address = descriptor_address(table, base, context.level, va);
    format->decode(&context, read_descriptor(table, pte->address), &pte->meaning);
    if (pte->meaning.kind != NW_DESCRIPTOR_TABLE || context.level == level)
      break;
    base = pte->meaning.output;
    context.limits = pte->meaning.rights;
  }
  pte->level = context.level;
  pte->span_log2 = format->shift[context.level];
  pte->va = align_down(va, pte->span_log2);
  if (pte->meaning.kind == NW_DESCRIPTOR_LEAF && pte->meaning.page_log2 > pte->span_log2) {
    uint64_t first = align_down(va, pte->meaning.page_log2);
    pte->address -= ((pte->va - first) >> pte->span_log2) * format->descriptor_bytes;
    pte->va = first;
    pte->span_log2 = pte->meaning.page_log2;
  }
}

void nw_page_table_find(const struct nw_page_table *table, uint64_t va, struct nw_pte *pte) {
  nw_page_table_entry(table, va, table->format->last_level, pte);
}

/* Descriptors in a row that make up one leaf. */
static unsigned repeats(const struct nw_page_table *table, uint8_t page_log2, uint8_t level) {
  return 1u << (page_log2 - table->format->shift[level]);
}

bool nw_page_table_is_free(const struct nw_page_table *table, uint64_t va, uint8_t page_log2) {
  uint8_t level = table->format->leaf_level(page_log2);
  unsigned count = repeats(table, page_log2, level);
  for (unsigned i = 0; i < count; i++) {
    struct nw_pte pte;
    nw_page_table_entry(table, va + ((uint64_t)i << table->format->shift[level]), level, &pte);
    if (pte.meaning.kind != NW_DESCRIPTOR_INVALID)
      return false;
    if (pte.level != level)
      return true;
  }
  return true;
}

/* Links a new table below the hole `pte`. */
static bool link_table(struct nw_page_table *table, const struct nw_pte *hole, uint8_t domain) {
  uint64_t address;
  uint8_t level = nwi_level_below(table->format, hole->level);
  if (!table->memory.allocate(table->memory.context, table, level, hole->va, &address))
    return false;
  uint64_t descriptor = table->format->encode_table(hole->level, address, domain);
  if (write_descriptor(table, hole->address, descriptor))
    return true;
  table->memory.release(table->memory.context, table, level, address);
  return false;
}

/* Writes the descriptors of one leaf from `address` on. */
static bool write_leaf(struct nw_page_table *table, uint64_t address, uint8_t level,
                       const struct nwi_leaf *leaf) {
  uint64_t descriptor = table->format->encode_leaf(leaf);
  for (unsigned i = 0; i < repeats(table, leaf->page_log2, level); i++)
    if (!write_descriptor(table, address + i * table->format->descriptor_bytes, descriptor))
      return false;
  return true;
}

bool nw_page_table_map(struct nw_page_table *table, uint64_t va, const struct nwi_leaf *leaf) {
  uint8_t level = table->format->leaf_level(leaf->page_log2);
  struct nw_pte pte;
  for (;;) {
    nw_page_table_entry(table, va, level, &pte);
    if (pte.level == level)
      return write_leaf(table, pte.address, level, leaf);
    if (!link_table(table, &pte, leaf->domain))
      return false;
  }
}

bool nw_page_table_clear(struct nw_page_table *table, const struct nw_pte *pte) {
  unsigned count = repeats(table, pte->span_log2, pte->level);
  for (unsigned i = 0; i < count; i++)
    if (!write_descriptor(table, pte->address + i * table->format->descriptor_bytes, 0))
      return false;
  return true;
}

static bool allowed(const struct nw_page_table *table, uint32_t rights, enum nw_access access,
                    enum nw_privilege privilege) {
  unsigned stage;
  return nw_rights_judge(table->regime, rights | NWI_R_S2_ALL, access, privilege, &stage) ==
         NW_FAULT_NONE;
}

void nw_page_table_leaf(const struct nw_page_table *table, const struct nw_pte *pte,
                        struct nwi_leaf *leaf) {
  uint32_t rights = pte->meaning.rights;
  bool user = allowed(table, rights, NW_READ, NW_USER);
  enum nw_privilege privilege = user ? NW_USER : NW_PRIVILEGED;
  *leaf = (struct nwi_leaf){
      .output = pte->meaning.output,
      .page_log2 = pte->meaning.page_log2,
      .readable = true,
      .writable = allowed(table, rights, NW_WRITE, privilege),
      .executable = allowed(table, rights, NW_EXECUTE, privilege),
      .user = user,
      .global = pte->meaning.global,
      .clean = (rights & NWI_R_S1_CLEAN) != 0,
      .domain = (uint8_t)((rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT),
  };
}

/* Fills `address`, a table of `level` or part of one, with leaves of its size that are what `leaf` is. */
static bool write_pages(struct nw_page_table *table, uint64_t address, uint8_t level,
                        struct nwi_leaf leaf) {
  uint8_t page_log2 = table->format->shift[level];
  unsigned count = 1u << (leaf.page_log2 - page_log2);
  leaf.page_log2 = page_log2;
  for (unsigned i = 0; i < count; i++) {
    if (!write_leaf(table, address + i * table->format->descriptor_bytes, level, &leaf))
      return false;
    leaf.output += UINT64_C(1) << page_log2;
  }
  return true;
}

bool nw_page_table_split(struct nw_page_table *table, const struct nw_pte *pte) {
  struct nwi_leaf leaf;
  nw_page_table_leaf(table, pte, &leaf);
  if (pte->level == table->format->last_level)
    return write_pages(table, pte->address, pte->level, leaf);
  /* The new table is complete before it replaces the leaf: no access in between finds a hole. */
  uint64_t address;
  uint8_t level = nwi_level_below(table->format, pte->level);
  if (!table->memory.allocate(table->memory.context, table, level, pte->va, &address))
    return false;
  uint64_t descriptor = table->format->encode_table(pte->level, address, leaf.domain);
  return write_pages(table, address, level, leaf) &&
         write_descriptor(table, pte->address, descriptor);
}

/* Unlinks and releases the table that `pte` names. */
static bool release_table(struct nw_page_table *table, const struct nw_pte *pte) {
  if (!write_descriptor(table, pte->address, 0))
    return false;
  table->memory.release(table->memory.context, table, nwi_level_below(table->format, pte->level),
                        pte->meaning.output);
  return true;
}

/* Releases the tables below entries of `level`; a hole further up is passed over in one step. */
static bool prune_level(struct nw_page_table *table, uint8_t level, uint64_t start, uint64_t end,
                        uint64_t floor, uint64_t ceiling) {
  struct nw_pte pte;
  for (uint64_t va = start; va < end; va = pte.va + (UINT64_C(1) << pte.span_log2)) {
    nw_page_table_entry(table, va, level, &pte);
    bool within = pte.va >= floor && pte.va + (UINT64_C(1) << pte.span_log2) <= ceiling;
    if (within && pte.level == level && pte.meaning.kind == NW_DESCRIPTOR_TABLE &&
        !release_table(table, &pte))
      return false;
  }
  return true;
}

bool nw_page_table_prune(struct nw_page_table *table, uint64_t start, uint64_t end, uint64_t floor,
                         uint64_t ceiling) {
  const struct nw_format *format = table->format;
  uint8_t level = format->last_level;
  while (level != table->start_level) {
    level = nwi_level_above(format, level);
    if (!prune_level(table, level, start, end, floor, ceiling))
      return false;
  }
  return true;
}
