/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU's ports in one clock cycle, as the RTL (rtl/nw_mmu.sv) has them: what goes in, and what
 * comes out. Both the Verilated RTL and the reference take and give these.
 */
#ifndef NW_TB_LOCKSTEP_PORTS_H
#define NW_TB_LOCKSTEP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/* Structures, in the order of the bits of the observation ports. */
enum nw_structure { NW_L1D, NW_L1I, NW_L2, NW_WALK, NW_IPA, NW_STRUCTURES };

struct nw_inputs {
  bool ctrl_valid;
  bool ctrl_maintenance; /* else a register write */
  uint8_t ctrl_select;   /* enum nw_register or enum nw_tlbi */
  uint64_t ctrl_data;
  bool req_valid;
  uint32_t req_va;
  uint8_t req_access; /* enum nw_access */
  bool req_privileged;
  uint8_t req_tag;
  bool rsp_ready;
  bool mem_req_ready;
  bool mem_rsp_valid;
  uint64_t mem_rsp_data;
  bool mem_rsp_error;
};

/* Output ports in groups: those that always mean something, and those that mean something while
 * the response or the memory request is valid. */
#define NW_PORTS_ALWAYS(X)                                                                         \
  X(ctrl_ready_o)                                                                                  \
  X(req_ready_o)                                                                                   \
  X(rsp_valid_o)                                                                                   \
  X(mem_req_valid_o)                                                                               \
  X(mem_rsp_ready_o)                                                                               \
  X(obs_lookup_o)                                                                                  \
  X(obs_hit_o)                                                                                     \
  X(obs_install_o)                                                                                 \
  X(obs_evict_o)                                                                                   \
  X(obs_finish_o)
#define NW_PORTS_RESPONSE(X)                                                                       \
  X(rsp_tag_o)                                                                                     \
  X(rsp_pa_o)                                                                                      \
  X(rsp_rights_o)                                                                                  \
  X(rsp_page_log2_o)                                                                               \
  X(rsp_s1_page_log2_o)                                                                            \
  X(rsp_s2_page_log2_o)                                                                            \
  X(rsp_attr_o)                                                                                    \
  X(rsp_sh_o)                                                                                      \
  X(rsp_source_o)                                                                                  \
  X(rsp_fault_o)                                                                                   \
  X(rsp_stage_o)                                                                                   \
  X(rsp_level_o)                                                                                   \
  X(rsp_s1walk_o)                                                                                  \
  X(rsp_domain_o)                                                                                  \
  X(rsp_ipa_o)
#define NW_PORTS_MEMORY(X)                                                                         \
  X(mem_req_addr_o)                                                                                \
  X(mem_req_size_o)                                                                                \
  X(mem_req_stage2_o)                                                                              \
  X(mem_req_level_o)                                                                               \
  X(mem_req_for_s1_o)                                                                              \
  X(mem_req_s1_level_o)
/* The way of a hit or install, by enum nw_structure. */
#define NW_PORTS_WAY(X)                                                                            \
  X(obs_way_l1d_o)                                                                                 \
  X(obs_way_l1i_o)                                                                                 \
  X(obs_way_l2_o)                                                                                  \
  X(obs_way_walk_cache_o)                                                                          \
  X(obs_way_ipa_cache_o)
#define NW_PORTS(X) NW_PORTS_ALWAYS(X) NW_PORTS_RESPONSE(X) NW_PORTS_MEMORY(X) NW_PORTS_WAY(X)

/* All of one type, so that two can be compared as memory. What means nothing is 0. */
struct nw_outputs {
#define FIELD(port) uint64_t port;
  NW_PORTS(FIELD)
#undef FIELD
  /* No port: in the first cycle of a response, the cycles from the request's acceptance to it, but
   * for those in which a memory request was valid and not accepted. */
  uint64_t cycles;
};

/* Entries of each structure of a variant of the RTL. */
struct nw_variant_entries {
  uint32_t of[NW_STRUCTURES];
};

#endif
