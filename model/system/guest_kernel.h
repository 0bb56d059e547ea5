/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest kernel's memory manager: processes whose page tables stand in guest memory, demand
 * paging, copy-on-write, and what the architecture has it do for ASIDs and TLBs. It knows nothing of
 * the mode it runs under; it stores descriptors through its own linear map, so that every store is
 * translated and may be trapped.
 *
 * Address space (struct nw_guest_layout): the program's addresses from 0 up; above, a linear map of
 * guest memory from IPA 0, privileged and global, and a page that programs may read and execute
 * (Linux's kernel user helpers; vsyscall). Frames beyond the linear map hold program pages only.
 */
#ifndef NESTWALK_SYSTEM_GUEST_KERNEL_H
#define NESTWALK_SYSTEM_GUEST_KERNEL_H

#include "system/frame_allocator.h"
#include "system/internal.h"
#include "system/mappings.h"
#include "system/page_table.h"

#define NW_LARGE_SIZES 2

struct nw_address_space {
  struct nw_page_table table;
  struct nw_mappings mappings;
  uint32_t users; /* processes and threads that live in it */
  uint32_t asid;  /* ARMv7: 1 to 255, valid in its generation only; x86-64: PCID, 0 for none */
  uint64_t asid_generation;
  bool stale; /* x86-64: TLBs may hold what the tables do not say any more */
};

struct nw_process {
  struct nw_address_space *space; /* NULL: the process has ended */
};

struct nw_guest_kernel {
  struct nw_machine *machine;
  const struct nw_format *format;
  struct nw_frames *low;    /* frames of the linear map */
  struct nw_frames *high;   /* frames beyond it, or NULL */
  struct nw_page_table own; /* the kernel's own table: linear map and vector page */
  uint64_t shared_table;    /* where roots have one descriptor for the kernel: the table it names */
  uint8_t large_log2[NW_LARGE_SIZES]; /* large page sizes, largest first, 0-terminated if fewer */
  bool booted;                        /* descriptors are stored through the MMU */
  struct nw_address_space *loaded;    /* whose root is loaded; NULL: the kernel's own */
  nw_process_id running;              /* 0: none */
  struct nw_process *process;         /* by id; 0 is never used */
  uint32_t processes, capacity;
  uint32_t next_asid;
  uint64_t asid_generation;
  struct nw_address_space *pcid[NW_PCIDS + 1]; /* x86-64: whose they are */
};

/** Sets up the kernel's own tables and registers, and switches stage 1 on. */
bool nw_guest_kernel_create(struct nw_machine *machine, char *error, size_t error_size);
void nw_guest_kernel_destroy(struct nw_guest_kernel *kernel);

/** The address space of the running process, or NULL. */
struct nw_address_space *nw_guest_kernel_space(const struct nw_guest_kernel *kernel);

/* processes: what machine.h says */
nw_process_id nw_guest_kernel_spawn(struct nw_guest_kernel *kernel);
nw_process_id nw_guest_kernel_fork(struct nw_guest_kernel *kernel, nw_process_id parent,
                                   bool share);
bool nw_guest_kernel_switch(struct nw_guest_kernel *kernel, nw_process_id process);
bool nw_guest_kernel_exit(struct nw_guest_kernel *kernel, nw_process_id process);
bool nw_guest_kernel_exec(struct nw_guest_kernel *kernel);

/* mappings of the running process: what machine.h says */
bool nw_guest_kernel_map(struct nw_guest_kernel *kernel, const struct nw_mapping *mapping);
bool nw_guest_kernel_unmap(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end);
bool nw_guest_kernel_protect(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end,
                             unsigned protection);
bool nw_guest_kernel_remap(struct nw_guest_kernel *kernel, uint64_t old_start, uint64_t old_bytes,
                           uint64_t new_start, uint64_t new_bytes);

/** What the mapped pages of [start, end) hold, those that are there and those to come: the data `tag`
 * from its page `first` on. */
bool nw_guest_kernel_set_content(struct nw_guest_kernel *kernel, uint64_t start, uint64_t end,
                                 uint64_t tag, uint64_t first);

/** A fault of the running process has been delivered: afterwards the access is allowed. */
bool nw_guest_kernel_fault(struct nw_guest_kernel *kernel, uint64_t va, enum nw_access access);

/* Between the files of the kernel. */

/** Empties [start, end) of the space's table, splitting what stands out, drops the frames, and
 * frees tables that serve nothing any more. */
bool nw_guest_kernel_zap(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                         uint64_t start, uint64_t end);
/** Gives the child the parent's pages, private ones copy-on-write. */
bool nw_guest_kernel_copy_pages(struct nw_guest_kernel *kernel, struct nw_address_space *parent,
                                struct nw_address_space *child);
/** Invalidates the TLB for [start, end) of a space, by address or by ASID, whichever is less. */
void nw_guest_kernel_flush(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                           uint64_t start, uint64_t end);
/** Allocates 2^order frames; the machine's status says so when there are none. */
bool nw_guest_kernel_allocate(struct nw_guest_kernel *kernel, unsigned order, bool low,
                              uint64_t *frame);
/** The allocator that a frame belongs to. */
struct nw_frames *nw_guest_kernel_frames(const struct nw_guest_kernel *kernel, uint64_t frame);
/** Fills a frame with zeros through the linear map. */
bool nw_guest_kernel_clear_frame(struct nw_guest_kernel *kernel, uint64_t frame);

#endif
