/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: a host frame that guest frames share is mapped read-only for all of them and held
 * once for each; all of them have the content of its node. Only frames whose memory reads as 0 (for
 * it is only tagged) are shared: descriptors make a frame's content its own.
 */
#include "system/ksm.h"

#include <stdlib.h>

#include "system/hypervisor.h"

#define BUCKETS 4096u
/* Linux's sleep_millisecs of 20. */
#define DEFAULT_MICROSECONDS 20000u
/* The clock is looked at once in so many accesses. */
#define ACCESSES_BETWEEN_LOOKS 64u

/*
 * A content that has been seen: shared by `sharers` guest frames in host frame `frame`, or, as a
 * candidate (sharers 0), in guest frame `frame` during the pass over guest memory `pass`. Linux
 * keeps these in its stable and its unstable tree.
 */
struct node {
  struct node *next;
  uint64_t content, pass;
  uint32_t frame, sharers;
};

struct nw_ksm {
  struct nw_machine *machine;
  struct nw_hypervisor *hypervisor;
  const struct nw_ksm_config *config;
  uint64_t *content;    /* by guest frame */
  uint64_t *seen;       /* likewise: at the last scan */
  struct node **shared; /* by host frame */
  struct node *bucket[BUCKETS];
  uint64_t next_frame, pass; /* of the scanner */
  uint64_t next_scan;        /* cycle */
  uint64_t interval;         /* cycles */
  uint32_t accesses;         /* until the clock is looked at */
  uint64_t saved;            /* host frames */
};

/* splitmix64's finaliser */
static uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

uint64_t nw_content_of_page(uint64_t tag, uint64_t page) {
  if (tag == NW_CONTENT_ZERO || tag == NW_CONTENT_OWN)
    return tag;
  uint64_t content = mix(mix(tag) + page);
  return content == NW_CONTENT_ZERO || content == NW_CONTENT_OWN ? 1 : content;
}

/* -- nodes ---------------------------------------------------------------------------------- */

static struct node **bucket_of(struct nw_ksm *ksm, uint64_t content) {
  return &ksm->bucket[mix(content) % BUCKETS];
}

static void remove_node(struct nw_ksm *ksm, struct node *node) {
  struct node **at = bucket_of(ksm, node->content);
  while (*at != node)
    at = &(*at)->next;
  *at = node->next;
  free(node);
}

/* Whether the candidate still is what it was. */
static bool is_candidate(const struct nw_ksm *ksm, const struct node *node) {
  return node->pass == ksm->pass && ksm->content[node->frame] == node->content &&
         ksm->hypervisor->backing[node->frame] != 0 && !ksm->hypervisor->read_only[node->frame];
}

/* The node that a frame of this content can join: a shared one with room, else a candidate. */
static struct node *find_partner(struct nw_ksm *ksm, uint64_t content) {
  struct node *candidate = NULL;
  for (struct node *node = *bucket_of(ksm, content), *next; node != NULL; node = next) {
    next = node->next;
    if (node->content != content)
      continue;
    if (node->sharers > 0 && node->sharers < ksm->config->max_sharers)
      return node;
    if (node->sharers == 0 && is_candidate(ksm, node))
      candidate = node;
    else if (node->sharers == 0)
      remove_node(ksm, node);
  }
  return candidate;
}

static void add_candidate(struct nw_ksm *ksm, uint32_t frame) {
  struct node *node = calloc(1, sizeof *node);
  if (node == NULL) {
    nw_machine_fail(ksm->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    return;
  }
  struct node **bucket = bucket_of(ksm, ksm->content[frame]);
  *node = (struct node){
      .next = *bucket, .content = ksm->content[frame], .pass = ksm->pass, .frame = frame};
  *bucket = node;
}

/* -- sharing and breaking ------------------------------------------------------------------- */

static void pay(struct nw_ksm *ksm, uint32_t cycles) {
  ksm->hypervisor->cycles += cycles;
  ksm->machine->statistics->ksm_cycles += cycles;
}

static void count_saved(struct nw_ksm *ksm, int change) {
  struct nw_machine_statistics *statistics = ksm->machine->statistics;
  ksm->saved += (uint64_t)(int64_t)change;
  statistics->ksm_bytes_saved = ksm->saved << NW_FRAME_LOG2;
  if (statistics->ksm_bytes_saved > statistics->ksm_bytes_saved_peak)
    statistics->ksm_bytes_saved_peak = statistics->ksm_bytes_saved;
}

static uint64_t ipa_of(uint32_t frame) {
  return (uint64_t)frame << NW_FRAME_LOG2;
}

/* Turns a candidate into a shared frame with one sharer: itself. */
static bool share(struct nw_ksm *ksm, struct node *node) {
  uint32_t host = ksm->hypervisor->backing[node->frame];
  if (!nw_hypervisor_remap(ksm->hypervisor, ipa_of(node->frame), host, false))
    return false;
  ksm->shared[host] = node;
  node->frame = host;
  node->sharers = 1;
  return true;
}

/* Lets guest frame `frame` use the node's host frame, and frees its own. */
static void join(struct nw_ksm *ksm, struct node *node, uint32_t frame) {
  struct nw_hypervisor *hypervisor = ksm->hypervisor;
  uint32_t own = hypervisor->backing[frame];
  if ((node->sharers == 0 && !share(ksm, node)) ||
      !nw_hypervisor_remap(hypervisor, ipa_of(frame), node->frame, false))
    return;
  nw_frames_hold(hypervisor->frames, node->frame);
  nw_frames_drop(hypervisor->frames, own);
  node->sharers++;
  ksm->machine->statistics->ksm_merged++;
  count_saved(ksm, 1);
  pay(ksm, ksm->config->merge_cycles);
}

bool nw_ksm_break(struct nw_machine *machine, uint64_t ipa) {
  struct nw_ksm *ksm = machine->ksm;
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  uint32_t guest = (uint32_t)(ipa >> NW_FRAME_LOG2), old = hypervisor->backing[guest];
  struct node *node = ksm == NULL ? NULL : ksm->shared[old];
  uint64_t frame;
  if (node == NULL || !nw_frames_allocate(hypervisor->frames, 0, &frame))
    return false;
  nw_physical_clear_frame(machine->memory, frame << NW_FRAME_LOG2);
  if (!nw_hypervisor_remap(hypervisor, ipa, (uint32_t)frame, true)) {
    nw_frames_drop(hypervisor->frames, frame);
    return false;
  }
  nw_frames_drop(hypervisor->frames, old);
  if (--node->sharers == 0) {
    ksm->shared[old] = NULL;
    remove_node(ksm, node);
  } else {
    count_saved(ksm, -1);
  }
  machine->statistics->ksm_broken++;
  pay(ksm, ksm->config->break_cycles);
  return true;
}

/* -- the scanner ---------------------------------------------------------------------------- */

static void scan_frame(struct nw_ksm *ksm, uint32_t frame) {
  uint64_t content = ksm->content[frame];
  bool settled = content == ksm->seen[frame];
  ksm->seen[frame] = content;
  ksm->machine->statistics->ksm_scanned++;
  pay(ksm, ksm->config->scan_cycles);
  /* What has changed since the last pass may soon change again. */
  if (!settled || content == NW_CONTENT_OWN)
    return;
  struct node *partner = find_partner(ksm, content);
  if (partner == NULL)
    add_candidate(ksm, frame);
  else if (partner->sharers > 0 || partner->frame != frame)
    join(ksm, partner, frame);
}

/* The scanner's next guest frame; a new pass begins behind the last one. */
static uint32_t next_frame(struct nw_ksm *ksm) {
  uint32_t frame = (uint32_t)ksm->next_frame++;
  if (ksm->next_frame == ksm->hypervisor->guest_frames) {
    ksm->next_frame = 0;
    ksm->pass++;
  }
  return frame;
}

/* Memory of the guest's that has a host frame of its own. */
static bool is_worth_a_look(const struct nw_ksm *ksm, uint32_t frame) {
  return ksm->hypervisor->backing[frame] != 0 && !ksm->hypervisor->read_only[frame];
}

static void scan(struct nw_ksm *ksm) {
  nw_hypervisor_begin(ksm->hypervisor);
  uint64_t looked = 0, frames = ksm->hypervisor->guest_frames;
  for (uint32_t scanned = 0; scanned < ksm->config->pages && looked < frames; looked++) {
    uint32_t frame = next_frame(ksm);
    if (!is_worth_a_look(ksm, frame))
      continue;
    scan_frame(ksm, frame);
    scanned++;
  }
  nw_hypervisor_end(ksm->hypervisor, NW_EXIT_KSM, 0);
}

/* -- what the machine tells ----------------------------------------------------------------- */

uint64_t nw_ksm_content(const struct nw_machine *machine, uint64_t ipa) {
  uint64_t frame = ipa >> NW_FRAME_LOG2;
  if (machine->ksm == NULL || frame >= machine->hypervisor->guest_frames)
    return NW_CONTENT_OWN;
  return machine->ksm->content[frame];
}

void nw_ksm_note(struct nw_machine *machine, uint64_t ipa, uint64_t content) {
  struct nw_ksm *ksm = machine->ksm;
  uint64_t frame = ipa >> NW_FRAME_LOG2;
  if (ksm == NULL || frame >= machine->hypervisor->guest_frames)
    return;
  uint32_t host = machine->hypervisor->backing[frame];
  if (ksm->shared[host] != NULL) {
    nw_hypervisor_begin(machine->hypervisor);
    if (!nw_ksm_break(machine, ipa))
      nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    nw_hypervisor_end(machine->hypervisor, NW_EXIT_KSM, 0);
  }
  ksm->content[frame] = content;
}

void nw_ksm_accessed(struct nw_machine *machine, enum nw_access access, uint64_t pa) {
  struct nw_ksm *ksm = machine->ksm;
  uint32_t owner = ksm->hypervisor->owner[pa >> NW_FRAME_LOG2];
  if (access == NW_WRITE && owner != 0)
    ksm->content[owner - 1] = NW_CONTENT_OWN;
  if (ksm->accesses-- != 0)
    return;
  ksm->accesses = ACCESSES_BETWEEN_LOOKS;
  if (nw_machine_cycles(machine) < ksm->next_scan)
    return;
  scan(ksm);
  /* The scanner sleeps after a scan, however long that took. */
  ksm->next_scan = nw_machine_cycles(machine) + ksm->interval;
}

/* -- making --------------------------------------------------------------------------------- */

struct nw_ksm *nw_ksm_create(struct nw_machine *machine) {
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  uint64_t guest = hypervisor->guest_frames;
  uint64_t host = machine->memory->regions * NW_REGION_FRAMES;
  struct nw_ksm *ksm = calloc(1, sizeof *ksm);
  if (ksm == NULL)
    return NULL;
  ksm->machine = machine;
  ksm->hypervisor = hypervisor;
  ksm->config = &machine->config.hypervisor.ksm;
  ksm->interval = ksm->config->interval;
  if (ksm->interval == 0)
    ksm->interval = (uint64_t)machine->config.clock_mhz * DEFAULT_MICROSECONDS;
  ksm->next_scan = ksm->interval;
  ksm->content = calloc(guest, sizeof *ksm->content);
  ksm->seen = calloc(guest, sizeof *ksm->seen);
  ksm->shared = calloc(host, sizeof(struct node *));
  if (ksm->content != NULL && ksm->seen != NULL && ksm->shared != NULL)
    return ksm;
  nw_ksm_destroy(ksm);
  return NULL;
}

void nw_ksm_destroy(struct nw_ksm *ksm) {
  if (ksm == NULL)
    return;
  for (unsigned i = 0; i < BUCKETS; i++)
    while (ksm->bucket[i] != NULL)
      remove_node(ksm, ksm->bucket[i]);
  free(ksm->content);
  free(ksm->seen);
  free(ksm->shared);
  free(ksm);
}
