/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs ask of the guest kernel: map, unmap, protect, remap; and what it does by itself:
 * demand paging, copy-on-write, large pages.
 *
 * Invariants: a private page that is held more than once is mapped read-only; a frame is held once
 * for each leaf that maps it. With large pages `always`, leaves may stand out of the mappings they
 * serve, into addresses that no mapping covers.
 */
#include "system/architecture.h"
#include "system/ksm.h"

#define DOMAIN_PROGRAM 1
#define LARGEST_BYTES (UINT64_C(1) << 21)

static uint64_t pte_end(const struct nw_pte *pte) {
  return pte->va + (UINT64_C(1) << pte->span_log2);
}

static uint64_t frame_of(uint64_t address) {
  return address >> NW_FRAME_LOG2;
}

/* The allocator that counts the holders of a leaf's frames; NULL for devices. */
static struct nw_frames *counted_in(const struct nw_guest_kernel *kernel, uint64_t output) {
  struct nw_frames *frames = nw_guest_kernel_frames(kernel, frame_of(output));
  if (frames == NULL || !nw_frames_has(frames, frame_of(output)) ||
      nw_frames_holders(frames, frame_of(output)) == 0)
    return NULL;
  return frames;
}

static void hold_frames(struct nw_guest_kernel *kernel, uint64_t output, uint8_t log2) {
  struct nw_frames *frames = counted_in(kernel, output);
  for (uint64_t i = 0; frames != NULL && i < UINT64_C(1) << (log2 - NW_FRAME_LOG2); i++)
    nw_frames_hold(frames, frame_of(output) + i);
}

static void drop_frames(struct nw_guest_kernel *kernel, uint64_t output, uint8_t log2) {
  struct nw_frames *frames = counted_in(kernel, output);
  for (uint64_t i = 0; frames != NULL && i < UINT64_C(1) << (log2 - NW_FRAME_LOG2); i++)
    nw_frames_drop(frames, frame_of(output) + i);
}

/* True when nobody else maps any frame of the leaf. */
static bool held_once(const struct nw_guest_kernel *kernel, uint64_t output, uint8_t log2) {
  struct nw_frames *frames = counted_in(kernel, output);
  for (uint64_t i = 0; frames != NULL && i < UINT64_C(1) << (log2 - NW_FRAME_LOG2); i++)
    if (nw_frames_holders(frames, frame_of(output) + i) != 1)
      return false;
  return true;
}

static uint64_t user_end(const struct nw_guest_kernel *kernel) {
  return kernel->machine->layout->user_end;
}

/* A leaf with the rights that `mapping` gives it. Where hardware sets flags, the leaf is accessed from
 * the start, as the page is about to be (Linux: pte_mkyoung()), and dirty if that is by a write. */
static struct nwi_leaf leaf_for(const struct nw_guest_kernel *kernel,
                                const struct nw_mapping *mapping, uint64_t output, uint8_t log2,
                                bool dirty) {
  bool write = (mapping->protection & NW_PROT_WRITE) != 0;
  return (struct nwi_leaf){
      .output = output,
      .page_log2 = log2,
      .readable = true,
      .writable = write && (mapping->shared || mapping->device || held_once(kernel, output, log2)),
      .executable = (mapping->protection & NW_PROT_EXEC) != 0,
      .user = mapping->protection != 0,
      .device = mapping->device,
      .clean = !dirty && kernel->machine->software->hardware_flags,
      .domain = DOMAIN_PROGRAM,
  };
}

/* True when no mapping but `mapping` overlaps [start, end). */
static bool alone_in(const struct nw_address_space *space, const struct nw_mapping *mapping,
                     uint64_t start, uint64_t end) {
  size_t i = nw_mappings_after(&space->mappings, start);
  for (; i < space->mappings.count && space->mappings.mapping[i].start < end; i++)
    if (&space->mappings.mapping[i] != mapping)
      return false;
  return true;
}

/* The first mapping that overlaps [start, end), or NULL. */
static const struct nw_mapping *mapping_in(const struct nw_address_space *space, uint64_t start,
                                           uint64_t end) {
  size_t i = nw_mappings_after(&space->mappings, start);
  if (i == space->mappings.count || space->mappings.mapping[i].start >= end)
    return NULL;
  return &space->mappings.mapping[i];
}

/* -- emptying ------------------------------------------------------------------------------- */

bool nw_guest_kernel_zap(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                         uint64_t start, uint64_t end) {
  struct nw_pte pte;
  for (uint64_t va = start; va < end; va = pte_end(&pte)) {
    nw_page_table_find(&space->table, va, &pte);
    if (pte.meaning.kind != NW_DESCRIPTOR_LEAF)
      continue;
    if (pte.va < start || pte_end(&pte) > end) {
      if (!nw_page_table_split(&space->table, &pte))
        return false;
      nw_page_table_find(&space->table, va, &pte);
    }
    if (!nw_page_table_clear(&space->table, &pte))
      return false;
    drop_frames(kernel, pte.meaning.output, pte.span_log2);
  }
  return true;
}

/*
 * Widens a range whose mappings are gone by what large pages had mapped around it: up to where the
 * next mappings begin, but without pages that serve those.
 */
static void widen(const struct nw_guest_kernel *kernel, const struct nw_address_space *space,
                  uint64_t *start, uint64_t *end) {
  uint64_t floor = nw_mappings_floor(&space->mappings, *start);
  uint64_t ceiling = nw_mappings_ceiling(&space->mappings, *end, user_end(kernel));
  uint64_t low = *start > floor + LARGEST_BYTES ? *start - LARGEST_BYTES : floor;
  uint64_t high = ceiling - *end > LARGEST_BYTES ? *end + LARGEST_BYTES : ceiling;
  struct nw_pte pte;
  if (low < *start) {
    nw_page_table_find(&space->table, low, &pte);
    if (pte.meaning.kind == NW_DESCRIPTOR_LEAF && pte.va < low)
      low = pte_end(&pte) < *start ? pte_end(&pte) : *start;
    *start = low;
  }
  if (high > *end) {
    nw_page_table_find(&space->table, high - 1, &pte);
    if (pte.meaning.kind == NW_DESCRIPTOR_LEAF && pte_end(&pte) > high)
      high = pte.va > *end ? pte.va : *end;
    *end = high;
  }
}

static bool unmap(struct nw_guest_kernel *kernel, struct nw_address_space *space, uint64_t start,
                  uint64_t end) {
  if (!nw_mappings_remove(&space->mappings, start, end))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  uint64_t floor = nw_mappings_floor(&space->mappings, start);
  uint64_t ceiling = nw_mappings_ceiling(&space->mappings, end, user_end(kernel));
  if (kernel->machine->config.guest.large_pages == NW_LARGE_ALWAYS)
    widen(kernel, space, &start, &end);
  if (ceiling == user_end(kernel))
    ceiling = kernel->machine->layout->tables_end;
  bool done = nw_guest_kernel_zap(kernel, space, start, end) &&
              nw_page_table_prune(&space->table, start, end, floor, ceiling);
  nw_guest_kernel_flush(kernel, space, start, end);
  return done;
}

bool nw_guest_kernel_unmap(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end) {
  return unmap(kernel, nw_guest_kernel_space(kernel), start, end);
}

/* -- mapping and protecting ----------------------------------------------------------------- */

static bool same_leaf(const struct nwi_leaf *a, const struct nwi_leaf *b) {
  return a->output == b->output && a->page_log2 == b->page_log2 && a->writable == b->writable &&
         a->executable == b->executable && a->user == b->user && a->clean == b->clean;
}

/* Rewrites a leaf with the rights of its mapping, if that changes anything. What is dirty stays so. */
static bool apply_rights(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                         const struct nw_mapping *mapping, const struct nw_pte *pte, bool write) {
  struct nwi_leaf old;
  nw_page_table_leaf(&space->table, pte, &old);
  struct nwi_leaf leaf =
      leaf_for(kernel, mapping, pte->meaning.output, pte->span_log2, write || !old.clean);
  return same_leaf(&old, &leaf) || nw_page_table_map(&space->table, pte->va, &leaf);
}

/* Gives every leaf in [start, end) the rights of the mapping it is in, splitting large ones of
 * which only a part is meant. */
static bool apply_protection(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                             uint64_t start, uint64_t end) {
  struct nw_pte pte;
  for (uint64_t va = start; va < end;) {
    nw_page_table_find(&space->table, va, &pte);
    const struct nw_mapping *mapping = mapping_in(space, va, pte_end(&pte));
    bool leaf = pte.meaning.kind == NW_DESCRIPTOR_LEAF && mapping != NULL && mapping->start < end;
    if (leaf && !alone_in(space, mapping, pte.va, pte_end(&pte))) {
      if (!nw_page_table_split(&space->table, &pte))
        return false;
      continue;
    }
    if (leaf && !apply_rights(kernel, space, mapping, &pte, false))
      return false;
    va = pte_end(&pte);
  }
  return true;
}

/* A device mapping must not reach memory, whose frames are counted, or nothing at all. */
static bool maps_devices(const struct nw_guest_kernel *kernel, const struct nw_mapping *mapping) {
  for (uint64_t va = mapping->start; va < mapping->end; va += NW_FRAME_BYTES)
    if (!nw_machine_is_mmio(kernel->machine, va + mapping->device_offset))
      return false;
  return true;
}

bool nw_guest_kernel_map(struct nw_guest_kernel *kernel, const struct nw_mapping *mapping) {
  struct nw_address_space *space = nw_guest_kernel_space(kernel);
  uint64_t start = mapping->start, end = mapping->end;
  if (mapping->device && !maps_devices(kernel, mapping))
    return nw_machine_fail(kernel->machine, NW_MACHINE_BAD_ADDRESS);
  if (!alone_in(space, NULL, start, end) && !unmap(kernel, space, start, end))
    return false;
  /* What large pages of neighbours have mapped here already serves a private mapping as well. */
  bool adopt = !mapping->shared && !mapping->device;
  if (!adopt && !nw_guest_kernel_zap(kernel, space, start, end))
    return false;
  if (!nw_mappings_insert(&space->mappings, mapping))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  if (kernel->machine->config.guest.large_pages != NW_LARGE_ALWAYS)
    return true;
  bool done = !adopt || apply_protection(kernel, space, start, end);
  nw_guest_kernel_flush(kernel, space, start, end);
  return done;
}

bool nw_guest_kernel_protect(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end,
                             unsigned protection) {
  struct nw_address_space *space = nw_guest_kernel_space(kernel);
  if (!nw_mappings_protect(&space->mappings, start, end, 0, protection))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  bool done = apply_protection(kernel, space, start, end);
  nw_guest_kernel_flush(kernel, space, start, end);
  return done;
}

/* -- remap ---------------------------------------------------------------------------------- */

static bool move_leaf(struct nw_address_space *space, const struct nw_pte *pte, uint64_t distance) {
  struct nwi_leaf leaf;
  nw_page_table_leaf(&space->table, pte, &leaf);
  return nw_page_table_map(&space->table, pte->va + distance, &leaf) &&
         nw_page_table_clear(&space->table, pte);
}

/* Whether a leaf can move as it is: all of it is meant, serves one mapping and keeps its size. */
static bool moves_whole(const struct nw_address_space *space, const struct nw_mapping *mapping,
                        const struct nw_pte *pte, uint64_t start, uint64_t end, uint64_t distance) {
  uint64_t mask = (UINT64_C(1) << pte->span_log2) - 1;
  return pte->va >= start && pte_end(pte) <= end && mapping->start <= pte->va &&
         pte_end(pte) <= mapping->end && (distance & mask) == 0 &&
         nw_page_table_is_free(&space->table, pte->va + distance, pte->span_log2);
}

/* Moves the pages of [start, end) that serve a mapping, devices excepted: their pages are mapped
 * anew when they are touched. The new place is empty; the old one is still to be unmapped. */
static bool move_pages(struct nw_address_space *space, uint64_t start, uint64_t end,
                       uint64_t distance) {
  struct nw_pte pte;
  for (uint64_t va = start; va < end;) {
    nw_page_table_find(&space->table, va, &pte);
    const struct nw_mapping *mapping = mapping_in(space, va, pte_end(&pte));
    bool moves = pte.meaning.kind == NW_DESCRIPTOR_LEAF && mapping != NULL && !mapping->device;
    if (moves && pte.span_log2 > NW_FRAME_LOG2 &&
        !moves_whole(space, mapping, &pte, start, end, distance)) {
      if (!nw_page_table_split(&space->table, &pte))
        return false;
      continue;
    }
    if (moves && !move_leaf(space, &pte, distance))
      return false;
    va = pte_end(&pte);
  }
  return true;
}

/* Copies the mappings of [start, end) to `distance` further on, which is empty. */
static bool copy_mappings(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                          uint64_t start, uint64_t end, uint64_t distance) {
  uint64_t va = start;
  while (va < end) {
    size_t i = nw_mappings_after(&space->mappings, va);
    if (i == space->mappings.count || space->mappings.mapping[i].start >= end)
      return true;
    struct nw_mapping moved = space->mappings.mapping[i];
    if (moved.start < va)
      moved.start = va;
    if (moved.end > end)
      moved.end = end;
    va = moved.end;
    moved.start += distance;
    moved.end += distance;
    moved.device_offset -= moved.device ? distance : 0;
    moved.content_start += moved.content != 0 ? distance : 0;
    if (!nw_mappings_insert(&space->mappings, &moved))
      return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  }
  return true;
}

/* Makes `mapping` (NULL: plain memory) go on over [start, end). */
static bool extend(struct nw_guest_kernel *kernel, const struct nw_mapping *mapping, uint64_t start,
                   uint64_t end) {
  if (start >= end)
    return true;
  struct nw_mapping grown = {.protection = NW_PROT_READ | NW_PROT_WRITE};
  if (mapping != NULL)
    grown = *mapping;
  grown.start = start;
  grown.end = end;
  return nw_guest_kernel_map(kernel, &grown);
}

bool nw_guest_kernel_remap(struct nw_guest_kernel *kernel, uint64_t old_start, uint64_t old_bytes,
                           uint64_t new_start, uint64_t new_bytes) {
  struct nw_address_space *space = nw_guest_kernel_space(kernel);
  uint64_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;
  uint64_t distance = new_start - old_start;
  if (new_bytes < old_bytes && !unmap(kernel, space, old_start + kept, old_start + old_bytes))
    return false;
  if (distance != 0) {
    if (!unmap(kernel, space, new_start, new_start + new_bytes) ||
        !copy_mappings(kernel, space, old_start, old_start + kept, distance) ||
        !nw_guest_kernel_zap(kernel, space, new_start, new_start + new_bytes) ||
        !move_pages(space, old_start, old_start + kept, distance) ||
        !unmap(kernel, space, old_start, old_start + kept))
      return false;
  }
  uint64_t end = new_start + kept;
  const struct nw_mapping *last = kept == 0 ? NULL : nw_mappings_find(&space->mappings, end - 1);
  return extend(kernel, last, end, new_start + new_bytes);
}

/* -- fork ----------------------------------------------------------------------------------- */

static bool copy_leaf(struct nw_guest_kernel *kernel, struct nw_address_space *parent,
                      struct nw_address_space *child, const struct nw_pte *pte) {
  const struct nw_mapping *mapping = mapping_in(parent, pte->va, pte_end(pte));
  bool share = mapping != NULL && (mapping->shared || mapping->device);
  struct nwi_leaf leaf;
  nw_page_table_leaf(&parent->table, pte, &leaf);
  leaf.device = mapping != NULL && mapping->device;
  if (!share && leaf.writable) {
    leaf.writable = false;
    if (!nw_page_table_map(&parent->table, pte->va, &leaf))
      return false;
  }
  if (!nw_page_table_map(&child->table, pte->va, &leaf))
    return false;
  hold_frames(kernel, leaf.output, leaf.page_log2);
  return true;
}

bool nw_guest_kernel_copy_pages(struct nw_guest_kernel *kernel, struct nw_address_space *parent,
                                struct nw_address_space *child) {
  struct nw_pte pte;
  bool done = true;
  for (uint64_t va = 0; done && va < user_end(kernel); va = pte_end(&pte)) {
    nw_page_table_find(&parent->table, va, &pte);
    if (pte.meaning.kind == NW_DESCRIPTOR_LEAF)
      done = copy_leaf(kernel, parent, child, &pte);
  }
  nw_guest_kernel_flush(kernel, parent, 0, user_end(kernel));
  return done;
}

/* -- faults --------------------------------------------------------------------------------- */

/* Fresh pages hold what the mapping says, page by page. */
static void note_content(struct nw_guest_kernel *kernel, const struct nw_mapping *mapping,
                         uint64_t va, uint64_t output, uint8_t log2) {
  for (uint64_t at = 0; at < UINT64_C(1) << log2; at += NW_FRAME_BYTES)
    nw_ksm_note(
        kernel->machine, output + at,
        nw_content_of_page(mapping->content, (va + at - mapping->content_start) >> NW_FRAME_LOG2));
}

bool nw_guest_kernel_set_content(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end,
                                 uint64_t tag, uint64_t first) {
  struct nw_address_space *space = nw_guest_kernel_space(kernel);
  struct nw_mapping data = {.content = tag, .content_start = start - (first << NW_FRAME_LOG2)};
  struct nw_pte pte;
  if (!nw_mappings_set_content(&space->mappings, start, end, tag, data.content_start))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  for (uint64_t va = start; va < end; va += NW_FRAME_BYTES) {
    nw_page_table_find(&space->table, va, &pte);
    if (pte.meaning.kind == NW_DESCRIPTOR_LEAF &&
        counted_in(kernel, pte.meaning.output + (va - pte.va)) != NULL)
      note_content(kernel, &data, va, pte.meaning.output + (va - pte.va), NW_FRAME_LOG2);
  }
  return true;
}

/* Maps fresh, cleared memory of 2^log2 bytes at `va`; `found` is false when there is none. */
static bool map_fresh(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                      const struct nw_mapping *mapping, uint64_t va, uint8_t log2, bool write,
                      bool *found) {
  uint64_t frame;
  *found = nw_guest_kernel_allocate(kernel, log2 - NW_FRAME_LOG2, false, &frame);
  if (!*found)
    return false;
  struct nwi_leaf leaf = leaf_for(kernel, mapping, frame << NW_FRAME_LOG2, log2, write);
  bool done = true;
  for (uint64_t i = 0; done && i < UINT64_C(1) << (log2 - NW_FRAME_LOG2); i++)
    done = nw_guest_kernel_clear_frame(kernel, frame + i);
  if (done && mapping->content != 0)
    note_content(kernel, mapping, va, leaf.output, log2);
  if (done && nw_page_table_map(&space->table, va, &leaf))
    return true;
  drop_frames(kernel, leaf.output, log2);
  return false;
}

/* Whether the policy lets a large page of 2^log2 bytes serve `va`. */
static bool large_fits(const struct nw_guest_kernel *kernel, const struct nw_address_space *space,
                       const struct nw_mapping *mapping, uint64_t va, uint8_t log2) {
  enum nw_large_pages policy = kernel->machine->config.guest.large_pages;
  uint64_t start = va >> log2 << log2, end = start + (UINT64_C(1) << log2);
  if (policy == NW_LARGE_NEVER || end > user_end(kernel))
    return false;
  bool covered = mapping->start <= start && end <= mapping->end;
  if (!covered && (policy != NW_LARGE_ALWAYS || !alone_in(space, mapping, start, end)))
    return false;
  return nw_page_table_is_free(&space->table, start, log2);
}

/* First touch of a page. */
static bool populate(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                     const struct nw_mapping *mapping, uint64_t va, bool write) {
  if (mapping->device) {
    uint64_t output = va + mapping->device_offset;
    struct nwi_leaf leaf = leaf_for(kernel, mapping, output, NW_FRAME_LOG2, write);
    return nw_page_table_map(&space->table, va, &leaf);
  }
  bool found;
  for (unsigned i = 0; i < NW_LARGE_SIZES && kernel->large_log2[i] != 0; i++) {
    uint8_t log2 = kernel->large_log2[i];
    if (!large_fits(kernel, space, mapping, va, log2))
      continue;
    if (map_fresh(kernel, space, mapping, va >> log2 << log2, log2, write, &found))
      return true;
    if (found)
      return false;
  }
  if (map_fresh(kernel, space, mapping, va, NW_FRAME_LOG2, write, &found))
    return true;
  return found ? false : nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_GUEST_MEMORY);
}

/* Replaces a page that others hold, too, by a copy. The old page is out of the TLB before the new
 * one is in the table. */
static bool copy_page(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                      const struct nw_mapping *mapping, const struct nw_pte *pte) {
  struct nw_machine *machine = kernel->machine;
  uint64_t frame, old = pte->meaning.output;
  if (!nw_guest_kernel_allocate(kernel, 0, false, &frame))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_GUEST_MEMORY);
  struct nwi_leaf leaf = leaf_for(kernel, mapping, frame << NW_FRAME_LOG2, NW_FRAME_LOG2, true);
  static const struct nw_store page = {.value = 0, .size = NW_STORE_FRAME};
  bool done = true;
  if (nw_frames_has(kernel->low, frame_of(old)))
    done = nw_machine_kernel_load(machine, machine->layout->linear_base + old);
  if (done && nw_frames_has(kernel->low, frame))
    done = nw_machine_kernel_store(machine, machine->layout->linear_base + leaf.output, &page);
  nw_machine_kernel_works(machine, machine->config.guest.page_copy_cycles);
  nw_ksm_note(machine, leaf.output, nw_ksm_content(machine, old));
  if (!done || !nw_page_table_clear(&space->table, pte)) {
    drop_frames(kernel, leaf.output, NW_FRAME_LOG2);
    return false;
  }
  nw_guest_kernel_flush(kernel, space, pte->va, pte_end(pte));
  drop_frames(kernel, old, NW_FRAME_LOG2);
  return nw_page_table_map(&space->table, pte->va, &leaf);
}

/* A page is there but denies what its mapping allows: copy-on-write, or new rights. */
static bool mend(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                 const struct nw_mapping *mapping, struct nw_pte *pte, uint64_t va, bool write) {
  bool copy = write && !mapping->shared && !mapping->device;
  bool shared = copy && !held_once(kernel, pte->meaning.output, pte->span_log2);
  if (pte->span_log2 > NW_FRAME_LOG2 &&
      (shared || !alone_in(space, mapping, pte->va, pte_end(pte)))) {
    if (!nw_page_table_split(&space->table, pte))
      return false;
    nw_guest_kernel_flush(kernel, space, pte->va, pte_end(pte));
    nw_page_table_find(&space->table, va, pte);
    shared = copy && !held_once(kernel, pte->meaning.output, pte->span_log2);
  }
  if (shared)
    return copy_page(kernel, space, mapping, pte);
  bool done = apply_rights(kernel, space, mapping, pte, write);
  nw_guest_kernel_flush(kernel, space, pte->va, pte_end(pte));
  return done;
}

/* The mapping for an access to the page `va`, made or widened when the trace did not tell of it. */
static const struct nw_mapping *mapping_for(struct nw_guest_kernel *kernel,
                                            struct nw_address_space *space, uint64_t va,
                                            unsigned needed) {
  const struct nw_mapping *mapping = nw_mappings_find(&space->mappings, va);
  if (mapping != NULL && (mapping->protection & needed) == needed)
    return mapping;
  struct nw_mapping page = {.start = va,
                            .end = va + NW_FRAME_BYTES,
                            .protection = NW_PROT_READ | NW_PROT_WRITE | NW_PROT_EXEC};
  bool done = mapping == NULL
                  ? nw_mappings_insert(&space->mappings, &page)
                  : nw_mappings_protect(&space->mappings, page.start, page.end, ~0u, needed);
  if (!done)
    nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  return done ? nw_mappings_find(&space->mappings, va) : NULL;
}

bool nw_guest_kernel_fault(struct nw_guest_kernel *kernel, uint64_t va, enum nw_access access) {
  static const unsigned needed[] = {NW_PROT_READ, NW_PROT_WRITE, NW_PROT_EXEC};
  struct nw_machine *machine = kernel->machine;
  struct nw_address_space *space = nw_guest_kernel_space(kernel);
  machine->statistics->page_faults++;
  nw_machine_kernel_works(machine, machine->config.guest.fault_cycles);
  if (space == NULL || va >= user_end(kernel))
    return nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
  uint64_t page = va & ~(NW_FRAME_BYTES - 1);
  const struct nw_mapping *mapping = mapping_for(kernel, space, page, needed[access]);
  if (mapping == NULL)
    return false;
  struct nw_pte pte;
  nw_page_table_find(&space->table, page, &pte);
  if (pte.meaning.kind == NW_DESCRIPTOR_LEAF)
    return mend(kernel, space, mapping, &pte, page, access == NW_WRITE);
  return populate(kernel, space, mapping, page, access == NW_WRITE);
}
