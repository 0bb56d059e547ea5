/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/replacement.h"
#include "core/tlb.h"

#define VMID_BITS 8u
#define STAGE_SWITCHES 4u
#define KEY_SHIFT 12u /* a key's bit 0 is address bit 12 */

/* A drop's four switches as a number. */
enum { BY_KEY = 1, BY_ASID = 2, GLOBALS = 4, BY_VMID = 8 };

static const uint8_t log2_of_code[CAM_PAGE_SIZES] = {12, 16, 20, 21, 24, 30};

struct cam_reference {
  struct cam_parameters parameters;
  struct nwi_tlb *tlb;
  uint64_t events[CAM_EVENTS];
};

struct cam_reference *cam_reference_create(const struct cam_parameters *parameters) {
  const struct nw_tlb_config config = {
      .entries = parameters->entries,
      .ways = parameters->entries,
      .policy = parameters->entries <= NWI_STAMPED_WAYS ? NW_POLICY_LRU : NW_POLICY_TREE_PLRU,
  };
  struct cam_reference *reference = calloc(1, sizeof *reference);
  if (reference == NULL)
    return NULL;
  reference->parameters = *parameters;
  reference->tlb = nwi_tlb_create(&config, "cam", 0, parameters->nested, NULL, 0);
  if (reference->tlb == NULL) {
    free(reference);
    return NULL;
  }
  return reference;
}

void cam_reference_destroy(struct cam_reference *reference) {
  if (reference == NULL)
    return;
  nwi_tlb_destroy(reference->tlb);
  free(reference);
}

const uint64_t *cam_reference_events(const struct cam_reference *reference) {
  return reference->events;
}

/* ---- helpers --------------------------------------------------------------------------------- */

static void count(struct cam_reference *r, unsigned event, bool happened) {
  r->events[event] += happened;
}

static uint64_t address_of(const struct cam_reference *r, uint32_t key) {
  return (uint64_t)(key & ((1u << r->parameters.key_width) - 1)) << KEY_SHIFT;
}

static const struct nwi_tlb_entry *slot(const struct cam_reference *r, unsigned way) {
  return nwi_tlb_slot(r->tlb, 0, way);
}

static uint8_t code_of_log2(uint8_t log2) {
  uint8_t code = 0;
  while (log2_of_code[code] != log2)
    code++;
  return code;
}

static bool covers(const struct nwi_tlb_entry *entry, uint64_t address) {
  return (entry->va ^ address) >> entry->page_log2 == 0;
}

static bool of_asid(const struct nwi_tlb_entry *entry, uint16_t asid) {
  return entry->global || entry->asid == asid;
}

static unsigned vmid_of(unsigned context) {
  return context & ((1u << VMID_BITS) - 1);
}

/* The way that holds what was installed with `data`. */
static uint8_t way_of(const struct cam_reference *r, uint64_t data) {
  unsigned way = 0;
  while (slot(r, way) == NULL || slot(r, way)->pa != data)
    way++;
  return (uint8_t)way;
}

/* ---- drop ------------------------------------------------------------------------------------ */

/* An entry is found under its stage switches, too, and dropped without regard to them. */
static void drop(struct cam_reference *r, const struct cam_cycle *c) {
  unsigned form = (c->drop_by_key ? BY_KEY : 0u) | (c->drop_by_asid ? BY_ASID : 0u) |
                  (c->drop_globals ? GLOBALS : 0u) | (c->drop_by_vmid ? BY_VMID : 0u);
  struct nwi_tlb_match match = {.va = address_of(r, c->drop_key),
                                .asid = c->drop_asid,
                                .by_va = c->drop_by_key,
                                .by_asid = c->drop_by_asid,
                                .globals = c->drop_globals,
                                .by_vmid = c->drop_by_vmid};
  unsigned dropped = 0;
  for (unsigned switches = 0; switches < STAGE_SWITCHES; switches++) {
    match.vmid = (uint16_t)(switches << VMID_BITS | c->drop_vmid);
    unsigned more = nwi_tlb_invalidate(r->tlb, &match);
    count(r, CAM_DROP_ON_EVERY_STAGE_SWITCH, c->drop_by_vmid && dropped != 0 && more != 0);
    dropped += more;
  }
  count(r, CAM_FIRST_DROP_FORM + form, dropped != 0);
  count(r, CAM_FIRST_SPARING_FORM + form, nwi_tlb_occupancy(r->tlb) != 0);
}

/* ---- install --------------------------------------------------------------------------------- */

/* Looks before the install at what it is going to meet. */
static void count_overlaps(struct cam_reference *r, const struct nwi_tlb_entry *new) {
  unsigned meets = 0;
  for (unsigned way = 0; way < r->parameters.entries; way++) {
    const struct nwi_tlb_entry *old = slot(r, way);
    if (old == NULL || !(covers(old, new->va) || covers(new, old->va)))
      continue;
    bool same_context = old->vmid == new->vmid;
    bool same_asid = new->global || of_asid(old, new->asid);
    bool meeting = same_context && same_asid;
    bool same_span = old->page_log2 == new->page_log2;
    bool drops = meeting && (same_span || !r->parameters.nested);
    meets += drops;
    count(r, CAM_INSTALL_KEEPS_ANOTHER_CONTEXT, same_asid && !same_context);
    count(r, CAM_INSTALL_KEEPS_ANOTHER_ASID, same_context && !same_asid);
    count(r, CAM_INSTALL_KEEPS_A_SPAN_AROUND_OR_INSIDE, meeting && !drops);
    count(r, CAM_INSTALL_REPLACES_ITS_OWN_SPAN, drops && same_span);
    count(r, CAM_INSTALL_DROPS_A_LARGER, drops && old->page_log2 > new->page_log2);
    count(r, CAM_INSTALL_DROPS_SMALLER, drops && old->page_log2 < new->page_log2);
    count(r, CAM_INSTALL_OF_GLOBAL_DROPS_AN_ASIDS, drops && new->global && !old->global);
    count(r, CAM_INSTALL_OF_AN_ASIDS_DROPS_GLOBAL, drops && !new->global && old->global);
  }
  count(r, CAM_INSTALL_DROPS_SEVERAL, meets > 1);
}

static void install(struct cam_reference *r, const struct cam_cycle *c, bool was_full,
                    struct cam_answer *answer) {
  uint8_t log2 = log2_of_code[c->install_size];
  const struct nwi_tlb_entry entry = {.va = address_of(r, c->install_key) >> log2 << log2,
                                      .pa = c->install_data,
                                      .asid = c->install_asid,
                                      .vmid = c->install_context,
                                      .page_log2 = log2,
                                      .global = c->install_global};
  bool made_room = was_full && nwi_tlb_occupancy(r->tlb) < r->parameters.entries;
  count_overlaps(r, &entry);
  answer->evict = nwi_tlb_install(r->tlb, &entry, NULL);
  answer->install_way = way_of(r, entry.pa);
  count(r, CAM_INSTALL_EVICTS, answer->evict);
  count(r, CAM_INSTALL_IN_A_FREE_WAY, !answer->evict);
  count(r, CAM_INSTALL_IN_THE_ROOM_OF_A_DROP, made_room);
}

/* ---- lookup ---------------------------------------------------------------------------------- */

/* How many entries cover the address under ASID and context; and what spoils it for the others. */
static unsigned count_covering(struct cam_reference *r, const struct cam_cycle *c,
                               uint64_t address) {
  unsigned found = 0;
  for (unsigned way = 0; way < r->parameters.entries; way++) {
    const struct nwi_tlb_entry *entry = slot(r, way);
    if (entry == NULL || !covers(entry, address))
      continue;
    bool asid = of_asid(entry, c->lookup_asid);
    bool vmid = vmid_of(entry->vmid) == vmid_of(c->lookup_context);
    bool switches = entry->vmid >> VMID_BITS == c->lookup_context >> VMID_BITS;
    found += asid && vmid && switches;
    count(r, CAM_PASSED_OVER_FOR_ASID, !asid && vmid && switches);
    count(r, CAM_PASSED_OVER_FOR_VMID, asid && !vmid && switches);
    count(r, CAM_PASSED_OVER_FOR_STAGE_SWITCHES, asid && vmid && !switches);
  }
  return found;
}

static void look_up(struct cam_reference *r, const struct cam_cycle *c, struct cam_answer *answer) {
  uint64_t address = address_of(r, c->lookup_key);
  unsigned probes, found = count_covering(r, c, address);
  const struct nwi_tlb_entry *entry =
      nwi_tlb_lookup(r->tlb, address, c->lookup_asid, c->lookup_context, &probes);
  if (entry == NULL)
    return;
  answer->hit = true;
  answer->hit_way = way_of(r, entry->pa);
  answer->hit_size = code_of_log2(entry->page_log2);
  answer->hit_data = entry->pa;
  count(r, CAM_HIT_FIRST_SIZE + answer->hit_size, true);
  count(r, CAM_HIT_GLOBAL_OF_ANOTHER_ASID, entry->global && entry->asid != c->lookup_asid);
  count(r, CAM_HIT_SMALLEST_OF_SEVERAL, found > 1);
  count(r, CAM_HIT_BESIDE_A_DROP, c->drop);
}

static bool would_hit(const struct cam_reference *r, const struct cam_cycle *c) {
  unsigned probes;
  return c->lookup && nwi_tlb_peek(r->tlb, address_of(r, c->lookup_key), c->lookup_asid,
                                   c->lookup_context, &probes) != NULL;
}

struct cam_answer cam_reference_cycle(struct cam_reference *r, const struct cam_cycle *c) {
  struct cam_answer answer = {0};
  bool was_full = nwi_tlb_occupancy(r->tlb) == r->parameters.entries;
  bool would_have_hit = would_hit(r, c);
  if (c->drop)
    drop(r, c);
  if (c->install)
    install(r, c, was_full, &answer);
  if (c->lookup)
    look_up(r, c, &answer);
  count(r, CAM_MISS_BY_A_DROP_OF_THE_SAME_CYCLE, would_have_hit && !answer.hit);
  return answer;
}

/* ---- what each event is ---------------------------------------------------------------------- */

enum { ANY, PLAIN, NESTED };

static const struct {
  const char *name;
  uint8_t kind;          /* of store that sees it */
  uint8_t least_entries; /* that it takes */
} event_of[CAM_FIRST_DROP_FORM] = {
    [CAM_HIT_FIRST_SIZE + 0] = {"hit of 4 KB", ANY, 1},
    [CAM_HIT_FIRST_SIZE + 1] = {"hit of 64 KB", ANY, 1},
    [CAM_HIT_FIRST_SIZE + 2] = {"hit of 1 MB", ANY, 1},
    [CAM_HIT_FIRST_SIZE + 3] = {"hit of 2 MB", ANY, 1},
    [CAM_HIT_FIRST_SIZE + 4] = {"hit of 16 MB", ANY, 1},
    [CAM_HIT_FIRST_SIZE + 5] = {"hit of 1 GB", ANY, 1},
    [CAM_HIT_GLOBAL_OF_ANOTHER_ASID] = {"hit of a global entry under another ASID", ANY, 1},
    [CAM_HIT_SMALLEST_OF_SEVERAL] = {"hit of the smallest of several spans", NESTED, 2},
    [CAM_HIT_BESIDE_A_DROP] = {"hit in the cycle of a drop", ANY, 1},
    [CAM_PASSED_OVER_FOR_ASID] = {"entry passed over for its ASID alone", ANY, 1},
    [CAM_PASSED_OVER_FOR_VMID] = {"entry passed over for its VMID alone", ANY, 1},
    [CAM_PASSED_OVER_FOR_STAGE_SWITCHES] = {"entry passed over for its stage switches alone", ANY,
                                            1},
    [CAM_MISS_BY_A_DROP_OF_THE_SAME_CYCLE] = {"miss for a drop in the same cycle", ANY, 1},
    [CAM_INSTALL_IN_A_FREE_WAY] = {"install in a free way", ANY, 1},
    [CAM_INSTALL_EVICTS] = {"install that evicts", ANY, 1},
    [CAM_INSTALL_IN_THE_ROOM_OF_A_DROP] = {"install in the room of a drop", ANY, 1},
    [CAM_INSTALL_REPLACES_ITS_OWN_SPAN] = {"install of a span that is there", ANY, 1},
    [CAM_INSTALL_DROPS_A_LARGER] = {"install that drops a larger page", PLAIN, 1},
    [CAM_INSTALL_DROPS_SMALLER] = {"install that drops a smaller page", PLAIN, 1},
    [CAM_INSTALL_DROPS_SEVERAL] = {"install that drops several", ANY, 2},
    [CAM_INSTALL_KEEPS_A_SPAN_AROUND_OR_INSIDE] = {"install within another span", NESTED, 1},
    [CAM_INSTALL_KEEPS_ANOTHER_ASID] = {"install that keeps another ASID's page", ANY, 1},
    [CAM_INSTALL_KEEPS_ANOTHER_CONTEXT] = {"install that keeps another context's page", ANY, 1},
    [CAM_INSTALL_OF_GLOBAL_DROPS_AN_ASIDS] = {"install of global drops an ASID's", ANY, 1},
    [CAM_INSTALL_OF_AN_ASIDS_DROPS_GLOBAL] = {"install of an ASID's drops global", ANY, 1},
    [CAM_DROP_ON_EVERY_STAGE_SWITCH] = {"drop under several stage switches", ANY, 2},
};

void cam_event_name(unsigned event, char *name, unsigned size) {
  if (event < CAM_FIRST_DROP_FORM) {
    snprintf(name, size, "%s", event_of[event].name);
    return;
  }
  unsigned form = (event - CAM_FIRST_DROP_FORM) % CAM_DROP_FORMS;
  snprintf(name, size, "drop by%s%s%s%s that %s an entry", form & BY_KEY ? " key" : "",
           form & BY_ASID ? " ASID" : "", form & GLOBALS ? " or global" : "",
           form & BY_VMID ? " VMID" : "", event < CAM_FIRST_SPARING_FORM ? "takes" : "spares");
}

bool cam_event_can_happen(unsigned event, const struct cam_parameters *parameters) {
  if (event < CAM_FIRST_DROP_FORM)
    return event_of[event].kind != (parameters->nested ? PLAIN : NESTED) &&
           parameters->entries >= event_of[event].least_entries;
  /* Without a condition nothing is spared. */
  unsigned spared = event - CAM_FIRST_SPARING_FORM;
  return event < CAM_FIRST_SPARING_FORM || (spared & ~(unsigned)GLOBALS) != 0;
}
