/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an architecture is to the software: where kernels put things, which registers and values
 * they write, which maintenance operation serves which purpose. Data as far as it goes; all other
 * files of model/system know no architecture.
 */
#ifndef NESTWALK_SYSTEM_ARCHITECTURE_H
#define NESTWALK_SYSTEM_ARCHITECTURE_H

#include "system/guest_kernel.h"

/* What the guest, by a write of a root register, says of what TLBs hold under the ASID. */
enum nw_root_write {
  NW_ROOT_TAGGED =
      0,           /* nothing: maintenance is another matter, and may have been left out so far */
  NW_ROOT_KEPT,    /* it is as the tables are */
  NW_ROOT_FLUSHED, /* it goes */
};

/* TLB maintenance by purpose. Operands: an address has the VA above bit 12, an ASID is below. */
struct nw_maintenance {
  enum nw_tlbi page;       /* a VA under an ASID */
  enum nw_tlbi address;    /* a VA under every ASID */
  enum nw_tlbi asid;       /* an ASID */
  enum nw_tlbi guest;      /* everything of the running virtual machine */
  enum nw_tlbi everything; /* and of all others */
};

struct nw_software_architecture {
  struct nw_maintenance maintenance;
  uint64_t asid_mask;       /* of an operand */
  unsigned root_register;   /* that shadow and agile paging replace */
  uint32_t root_registers;  /* bit by register: those that a change of address space writes */
  const uint8_t *registers; /* all that the guest's stage 1 depends on, in the order of loading */
  unsigned registers_count;
  uint8_t instruction_bytes; /* of a trace's instructions, which tells only how many there are */
  bool hardware_flags;       /* the hardware sets dirty flags in the guest's tables */

  /* a process of the host's, in which guest memory is one slot of addresses */
  enum nw_regime_kind host_kind;
  uint8_t host_bits;
  uint64_t slot_base, slot_bytes; /* of guest memory at most */
  uint64_t host_bytes;            /* of host memory at most */

  /* -- the guest kernel -- */

  /* Writes the registers under which the kernel's descriptors are to be read. */
  void (*prepare)(struct nw_machine *machine);
  /* The root is loaded: switches stage 1 on. */
  void (*enable)(struct nw_machine *machine);
  /* Puts the root and the ASID of a space into the registers; NULL is the kernel's own root. */
  void (*load_space)(struct nw_guest_kernel *kernel, struct nw_address_space *space);
  /* Invalidates the TLB for [start, end) of a space. */
  void (*flush)(struct nw_guest_kernel *kernel, struct nw_address_space *space, uint64_t start,
                uint64_t end);
  /* A space is gone. */
  void (*forget_space)(struct nw_guest_kernel *kernel, const struct nw_address_space *space);

  /* -- the hypervisor -- */

  /* Switches on the stage 1 of the host's own process. */
  void (*prepare_host)(struct nw_regime *regime, uint64_t root);
  /* Whether the hardware has ASIDs for shadow roots. */
  bool (*has_asids)(const struct nw_machine *machine);
  /* Loads a root and its ASID into the hardware, which keeps what its TLBs hold, if it can. */
  void (*load_root)(struct nw_machine *machine, uint64_t root, uint64_t asid);
  /* What the guest's write of that value to a root register means. */
  enum nw_root_write (*root_write)(const struct nw_machine *machine, uint64_t value);
  /* Loads what shadow tables need, but for the root. */
  void (*load_shadow)(struct nw_machine *machine);
  /* Whether agile walks can read shadow tables under the registers that the guest has written. */
  bool (*fits_agile)(const struct nw_machine *machine);
  /* Width of the addresses that stage 2 is to translate. */
  uint8_t (*stage2_bits)(const struct nw_machine *machine);
  /* Lets the hardware walk that stage 2, or (NULL) none. */
  void (*set_stage2)(struct nw_machine *machine, const struct nw_page_table *stage2);
  /* Makes the TLBs forget an entry of stage 2 that was taken away. */
  void (*forget_stage2)(struct nw_machine *machine);
};

/* What a guest kernel of one format has where. */
struct nw_guest_layout {
  const struct nw_software_architecture *software;
  enum nw_regime_kind kind; /* stage 1 alone */
  uint64_t user_end;        /* the program's addresses are 0 up to that */
  uint64_t tables_end;      /* the program's tables cover addresses up to that */
  uint64_t linear_base;     /* of the linear map of guest memory from IPA 0 on */
  uint64_t linear_bytes;    /* at most */
  uint64_t helper_page;     /* of the kernel's, that programs may read and execute */
  uint64_t root_bytes;
  uint64_t kernel_part; /* offset in a root of the kernel's descriptors, which are copied in one go;
                           0: it has one, which is stored */
  uint8_t physical_bits; /* of a guest physical address; 0: those that the machine has */
  uint8_t block_log2[NW_LARGE_SIZES]; /* sizes that the kernel maps itself with, largest first */
  uint8_t large_log2[NW_LARGE_SIZES]; /* large pages of programs, largest first; 0: none */
};

extern const struct nw_software_architecture nw_software_armv7;
extern const struct nw_software_architecture nw_software_x86_64;

/** By enum nw_guest_format. */
extern const struct nw_guest_layout nw_guest_layouts[NW_GUEST_FORMATS];

/** Width of a guest physical address. */
unsigned nw_guest_physical_bits(const struct nw_machine_config *config);

#endif
