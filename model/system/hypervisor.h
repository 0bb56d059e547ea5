/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor has in every mode: host memory, its own map of the guest's, and the price of
 * exits. The map is a process's page table on the host: guest memory is one slot of host virtual
 * addresses, filled on first use, 4 KB or (by policy, where as much host memory is free in one piece)
 * 2 MB or 1 GB at a time.
 */
#ifndef NESTWALK_SYSTEM_HYPERVISOR_H
#define NESTWALK_SYSTEM_HYPERVISOR_H

#include "system/frame_allocator.h"
#include "system/internal.h"
#include "system/page_table.h"

struct nw_hypervisor {
  struct nw_machine *machine;
  struct nw_frames *frames;        /* of host memory */
  struct nw_page_table host_table; /* host virtual address to PA */
  struct nw_regime host_regime;    /* that the host's own table is walked under */
  uint32_t *backing;               /* host frame by guest frame, 0: none; a copy of host_table */
  bool *read_only;                 /* by guest frame; likewise a copy */
  uint32_t *owner;                 /* guest frame plus 1 by host frame that it alone uses, else 0 */
  uint64_t guest_frames;
  uint64_t backed_frames; /* those that have host memory */
  uint64_t cycles;        /* of references made since nw_hypervisor_begin() */
};

bool nw_hypervisor_create(struct nw_machine *machine, char *error, size_t error_size);
void nw_hypervisor_destroy(struct nw_hypervisor *hypervisor);

/** True where the guest has memory. */
bool nw_hypervisor_is_memory(const struct nw_hypervisor *hypervisor, uint64_t ipa);

/** Gives the guest frame that holds `ipa` host memory if it has none. False when there is none
 * left, or when the guest has no memory there. */
bool nw_hypervisor_back(struct nw_hypervisor *hypervisor, uint64_t ipa, uint64_t *pa);
/** The same without giving. */
bool nw_hypervisor_backing(const struct nw_hypervisor *hypervisor, uint64_t ipa, uint64_t *pa);
/** Whether the host lets that frame be written; false for one that it shares, or that it keeps
 * read-only for another reason. */
bool nw_hypervisor_is_writable(const struct nw_hypervisor *hypervisor, uint64_t ipa);
/** Maps the 4 KB guest frame of `ipa`, which is backed, to host frame `frame`, after the mode has
 * forgotten its old mapping. False when there is no memory for the host's own table. */
bool nw_hypervisor_remap(struct nw_hypervisor *hypervisor, uint64_t ipa, uint32_t frame,
                         bool writable);
/** log2 of the host page that backs `ipa`, 12, 21 or 30; 0 when nothing does. */
uint8_t nw_hypervisor_backing_log2(const struct nw_hypervisor *hypervisor, uint64_t ipa);

/** Walks the host's own table for `ipa`, each reference priced; gives it memory if it has none. */
bool nw_hypervisor_walk_host(struct nw_hypervisor *hypervisor, uint64_t ipa, enum nw_access access,
                             struct nw_result *result);

/** Prices one reference of the hypervisor's own to host memory. */
void nw_hypervisor_reference(struct nw_hypervisor *hypervisor, uint64_t pa);
/** A page table in host memory whose stores are priced, with a root of its own; false when there is
 * no memory for that. Its format is of four levels or less where `input_bits` can do with them. */
bool nw_hypervisor_table(struct nw_hypervisor *hypervisor, const struct nw_format *format,
                         const struct nw_regime *regime, uint8_t input_bits,
                         struct nw_page_table *table);
/** Frames for a cleared table of `bytes`, aligned to its size; false when there are none. */
bool nw_hypervisor_allocate_table(struct nw_hypervisor *hypervisor, uint64_t bytes,
                                  uint64_t *address);

/** Starts and ends an exit. What it costs is trap + world_switch + handler[cause] + `extra` + the
 * references in between. */
void nw_hypervisor_begin(struct nw_hypervisor *hypervisor);
void nw_hypervisor_end(struct nw_hypervisor *hypervisor, enum nw_exit_cause cause, uint64_t extra);

#endif
