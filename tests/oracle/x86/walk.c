/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the tables may lead: a walk by software that knows of presence and large pages alone. It
 * decides nothing: a wrong guess shows, since the mark that is put there is not found.
 */
#include "program.h"

#define ADDRESS 0x000ffffffffff000ull

/* Present: bit 0, but in EPT any of the rights. */
#define EPT_RIGHTS 7ull
#define EPT_WALK_LENGTH(eptp) ((unsigned)((eptp) >> 3 & 7) + 1)

static bool inside(uint64_t pa, enum x86_register first) {
  return pa >= x86_reg[first] && pa <= x86_reg[first + 1];
}

bool is_ram(uint64_t pa) {
  return inside(pa, X86_LOW_FIRST) || inside(pa, X86_HIGH_FIRST);
}

unsigned guest_levels(void) {
  return x86_reg[X86_CR4] & CR4_LA57 ? 5 : 4;
}

unsigned nested_levels(void) {
  if (x86_reg[X86_REGIME] == X86_REGIME_EPT)
    return EPT_WALK_LENGTH(x86_reg[X86_EPTP]);
  return x86_reg[X86_HCR4] & CR4_LA57 ? 5 : 4;
}

uint64_t nested_root(void) {
  bool ept = x86_reg[X86_REGIME] == X86_REGIME_EPT;
  return x86_reg[ept ? X86_EPTP : X86_NCR3] & ADDRESS;
}

static bool nested_on(void) {
  return x86_reg[X86_REGIME] == X86_REGIME_NPT ||
         (x86_reg[X86_REGIME] == X86_REGIME_EPT && x86_reg[X86_EPTP]);
}

/* -- the trail --------------------------------------------------------------------------------- */

static uint64_t trail_read(struct trail *trail, uint64_t pa, unsigned level) {
  volatile uint64_t *at = (volatile uint64_t *)pa;
  unsigned i = trail->count++;
  trail->entry[i].at = at;
  trail->entry[i].value = *at;
  trail->entry[i].level = (uint8_t)level;
  trail->entry[i].patched = false;
  return trail->entry[i].value;
}

bool trail_has(const struct trail *trail, uint64_t pa, unsigned bytes) {
  for (unsigned i = 0; i < trail->count; i++) {
    uint64_t at = (uint64_t)trail->entry[i].at;
    if (pa < at + 8 && at < pa + bytes)
      return true;
  }
  return false;
}

void trail_patch(struct trail *trail, volatile uint64_t *at, uint64_t value) {
  trail_read(trail, (uint64_t)at, 0);
  trail->entry[trail->count - 1].patched = true;
  *at = value;
}

/* -- the walks --------------------------------------------------------------------------------- */

struct tables {
  uint64_t present; /* any of these bits set: the entry is present */
  /* Where an entry is; false if nowhere. */
  bool (*reach)(struct trail *trail, uint64_t address, uint64_t *pa);
};

static bool reach_directly(struct trail *trail, uint64_t address, uint64_t *pa) {
  (void)trail;
  *pa = address;
  return true;
}

static bool follow(const struct tables *tables, struct trail *trail, uint64_t table, unsigned level,
                   uint64_t address, uint64_t *output) {
  for (;; level--) {
    uint64_t pa, mask = (1ull << shift_of(level)) - 1;
    if (!tables->reach(trail, table + (address >> shift_of(level) & 511) * 8, &pa))
      return false;
    if (!is_ram(pa)) {
      trail->strays = !(pa >> x86_reg[X86_MAXPHYADDR]);
      return false;
    }
    uint64_t entry = trail_read(trail, pa, level);
    if (!(entry & tables->present))
      return false;
    if (level == 1 || (level <= 3 && entry & ENTRY_PS)) {
      *output = (entry & ADDRESS & ~mask) | (address & mask);
      return true;
    }
    table = entry & ADDRESS;
  }
}

bool follow_nested(struct trail *trail, uint64_t gpa, uint64_t *pa) {
  static const struct tables npt = {ENTRY_P, reach_directly}, ept = {EPT_RIGHTS, reach_directly};
  if (!nested_on())
    return reach_directly(trail, gpa, pa);
  if (gpa >> shift_of(nested_levels() + 1))
    trail->out_of_reach = true;
  return follow(x86_reg[X86_REGIME] == X86_REGIME_EPT ? &ept : &npt, trail, nested_root(),
                nested_levels(), gpa, pa);
}

bool follow_guest(struct trail *trail, uint64_t va, uint64_t *pa) {
  static const struct tables guest = {ENTRY_P, follow_nested};
  uint64_t gpa;
  return follow(&guest, trail, x86_reg[X86_CR3] & ADDRESS, guest_levels(), va, &gpa) &&
         follow_nested(trail, gpa, pa);
}
