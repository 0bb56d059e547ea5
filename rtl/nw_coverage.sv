// SPDX-License-Identifier: Apache-2.0
//
// Named cover points of the MMU: what a verification run has to have seen of lookups, hits,
// installs, evictions and drops in each structure, maintenance and register writes in each state,
// and handshakes.
//
// Each condition is the event itself, in the one cycle in which it happens; none is an implication.
// For simulators alone, where NW_COVERAGE is defined. Ports have the names of what they show.

`ifdef NW_COVERAGE

`define NW_COVER(label, event) \
  label: cover property (@(posedge clk_i) event);

// It takes whole structures and looks at some of their fields.
// verilator lint_off UNUSEDSIGNAL
module nw_coverage (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 ctrl_valid_i,
  input logic                 ctrl_ready_o,
  input logic                 ctrl_maintenance_i,
  input logic [3:0]           ctrl_select_i,
  input logic                 req_valid_i,
  input logic                 req_ready_o,
  input logic                 rsp_valid_o,
  input logic                 rsp_ready_i,
  input logic                 mem_req_valid_o,
  input logic                 mem_req_ready_i,
  input logic                 mem_rsp_valid_i,
  input logic                 mem_rsp_ready_o,
  input logic [4:0]           obs_lookup_o,
  input logic [4:0]           obs_hit_o,
  input logic [4:0]           obs_install_o,
  input logic [4:0]           obs_evict_o,
  input logic [3:0]           obs_state_o,
  input logic [4:0]           drops,     // maintenance drops a valid entry
  input logic [4:0]           overlaps,  // an install drops a valid entry
  input logic [4:0]           outdoes,   // two entries match a lookup, the smaller answers
  input nw_pkg::regime_t      regime,
  input nw_pkg::regime_t      walk_regime_q,
  input logic                 translation_off,
  input logic                 hit,
  input logic                 allowed,
  input logic [2:0]           hit_size,
  input nw_pkg::tlb_data_t    hit_entry,
  input nw_pkg::walk_result_t walked,
  input logic                 walk_keeps,
  input logic                 stale,       // maintenance came since the walk began
  input logic                 s2_refuses,  // VTCR is inconsistent or an IPA out of its range
  input logic [1:0]           sl0          // VTCR.SL0 of the moment
);

  // ---- what the conditions are made of ----------------------------------------------------------

  logic [3:0] last_state_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) last_state_q <= nw_pkg::StIdle;
    else         last_state_q <= obs_state_o;
  end

  logic in_idle, in_l1, in_l2, in_finish, walking;
  assign in_idle   = obs_state_o == nw_pkg::StIdle;
  assign in_l1     = obs_state_o == nw_pkg::StL1;
  assign in_l2     = obs_state_o == nw_pkg::StL2;
  assign in_finish = obs_state_o == nw_pkg::StFinish;
  assign walking   = obs_state_o >= nw_pkg::StBegin;

  logic request, maintenance, register_write, waits_with_maintenance, waits_with_write;
  assign request                = req_valid_i && req_ready_o;
  assign maintenance            = ctrl_valid_i && ctrl_ready_o && ctrl_maintenance_i;
  assign register_write         = ctrl_valid_i && ctrl_ready_o && !ctrl_maintenance_i;
  assign waits_with_maintenance = ctrl_valid_i && !ctrl_ready_o && ctrl_maintenance_i;
  assign waits_with_write       = ctrl_valid_i && !ctrl_ready_o && !ctrl_maintenance_i;

  logic succeeds, faults;
  assign succeeds = in_finish && walked.fault.kind == nw_pkg::FAULT_NONE;
  assign faults   = in_finish && walked.fault.kind != nw_pkg::FAULT_NONE;

  // ---- lookups ----------------------------------------------------------------------------------

`define NW_HIT_SIZE(structure_, STRUCTURE, size_, SIZE) \
  `NW_COVER(a_page_of_``size_``_hits_in_``structure_, \
            obs_hit_o[nw_pkg::STRUCTURE] && hit_size == nw_pkg::SIZE_``SIZE)
`define NW_HIT_SIZES(structure_, STRUCTURE) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 4k, 4K) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 64k, 64K) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 1m, 1M) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 2m, 2M) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 16m, 16M) \
  `NW_HIT_SIZE(structure_, STRUCTURE, 1g, 1G)

  `NW_HIT_SIZES(l1d, L1D)
  `NW_HIT_SIZES(l1i, L1I)
  `NW_HIT_SIZES(l2, L2)
  `NW_COVER(both_stages_are_off, in_l1 && translation_off)
  `NW_COVER(a_switch_of_the_stages_is_seen_by_a_lookup,
            in_l1 && {regime.s1_enabled, regime.s2_enabled} !=
            {walk_regime_q.s1_enabled, walk_regime_q.s2_enabled})
  `NW_COVER(an_asid_comes_from_contextidr, in_l1 && !translation_off &&
            !regime.long_descriptors && regime.s1_enabled)
  `NW_COVER(an_asid_comes_from_a_ttbr, in_l1 && !translation_off &&
            regime.long_descriptors && regime.s1_enabled)

  // ---- inconsistent VTCR ------------------------------------------------------------------------

  logic [1:0] walk_sl0_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)    walk_sl0_q <= '0;
    else if (in_l1) walk_sl0_q <= sl0;
  end

  logic inconsistent;
  assign inconsistent = s2_refuses && walk_regime_q.stage2.disabled;
  `NW_COVER(an_input_too_large_for_level_2_refuses_stage2, inconsistent && walk_sl0_q == 2'd0)
  `NW_COVER(an_input_too_small_for_level_1_refuses_stage2, inconsistent && walk_sl0_q == 2'd1)
  `NW_COVER(a_reserved_start_level_refuses_stage2, inconsistent && walk_sl0_q[1])

  // ---- structures -------------------------------------------------------------------------------

`define NW_STRUCTURE(name_, NAME) \
  `NW_COVER(name_``_hits, obs_hit_o[nw_pkg::NAME]) \
  `NW_COVER(name_``_misses, obs_lookup_o[nw_pkg::NAME] && !obs_hit_o[nw_pkg::NAME]) \
  `NW_COVER(name_``_takes_an_entry_where_there_is_room, \
            obs_install_o[nw_pkg::NAME] && !obs_evict_o[nw_pkg::NAME]) \
  `NW_COVER(name_``_evicts, obs_evict_o[nw_pkg::NAME]) \
  `NW_COVER(name_``_drops_an_entry_by_maintenance, drops[nw_pkg::NAME])
  // Not of the walk cache: a walk fills the tables that it did not find there.
`define NW_OVERLAP(name_, NAME) \
  `NW_COVER(name_``_drops_an_entry_that_a_new_one_overlaps, overlaps[nw_pkg::NAME])
`define NW_TLB(name_, NAME) \
  `NW_COVER(name_``_hits_and_is_allowed, obs_hit_o[nw_pkg::NAME] && allowed) \
  `NW_COVER(name_``_hits_and_is_denied, obs_hit_o[nw_pkg::NAME] && !allowed) \
  `NW_COVER(name_``_hits_a_global_page, obs_hit_o[nw_pkg::NAME] && hit_entry.global) \
  `NW_COVER(name_``_hits_a_page_of_one_asid, obs_hit_o[nw_pkg::NAME] && !hit_entry.global)

  `NW_STRUCTURE(l1d, L1D)
  `NW_STRUCTURE(l1i, L1I)
  `NW_STRUCTURE(l2, L2)
  `NW_STRUCTURE(walk_cache, WALK_CACHE)
  `NW_STRUCTURE(ipa_cache, IPA_CACHE)
  `NW_OVERLAP(l1d, L1D)
  `NW_OVERLAP(l1i, L1I)
  `NW_OVERLAP(l2, L2)
  `NW_OVERLAP(ipa_cache, IPA_CACHE)
  `NW_TLB(l1d, L1D)
  `NW_TLB(l1i, L1I)
  `NW_TLB(l2, L2)
  `NW_COVER(l2_refills_l1d, in_l2 && obs_install_o[nw_pkg::L1D])
  `NW_COVER(l2_refills_l1i, in_l2 && obs_install_o[nw_pkg::L1I])
  `NW_COVER(a_refill_evicts, in_l2 && (obs_evict_o[nw_pkg::L1D] || obs_evict_o[nw_pkg::L1I]))

  `NW_COVER(the_walk_cache_prefers_the_table_that_is_nearer,
            outdoes[nw_pkg::WALK_CACHE])

  logic denied_q;  // this request was denied by a hit and is walked for
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      denied_q <= 1'b0;
    else if (in_idle) denied_q <= 1'b0;
    else if (hit)   denied_q <= !allowed;
  end
  `NW_COVER(a_walk_confirms_that_a_hit_was_denied, denied_q && faults)
  `NW_COVER(a_walk_allows_what_a_hit_denied, denied_q && succeeds)

  // ---- maintenance and register writes ----------------------------------------------------------

`define NW_OPERATION(operation_, OPERATION) \
  `NW_COVER(operation_``_comes_between_requests, \
            maintenance && in_idle && ctrl_select_i == nw_pkg::OPERATION) \
  `NW_COVER(operation_``_comes_during_a_walk, \
            maintenance && walking && ctrl_select_i == nw_pkg::OPERATION)
`define NW_DROP(operation_, OPERATION, name_, NAME) \
  `NW_COVER(operation_``_drops_an_entry_of_``name_, \
            drops[nw_pkg::NAME] && ctrl_select_i == nw_pkg::OPERATION)
`define NW_IN_STATE(state_, STATE) \
  `NW_COVER(maintenance_comes_in_``state_, maintenance && obs_state_o == nw_pkg::STATE) \
  `NW_COVER(a_register_is_written_in_``state_, register_write && obs_state_o == nw_pkg::STATE)
`define NW_WRITE(register_, REGISTER) \
  `NW_COVER(register_``_is_written_during_a_walk, \
            register_write && walking && ctrl_select_i == nw_pkg::REGISTER)

  logic hyp_came_q;  // an operation of Hyp's, since the walk began
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)                                                hyp_came_q <= 1'b0;
    else if (!walking)                                          hyp_came_q <= 1'b0;
    else if (maintenance && ctrl_select_i >= nw_pkg::TLBI_ALLH) hyp_came_q <= 1'b1;
  end

  `NW_OPERATION(tlbi_all, TLBI_ALL)
  `NW_OPERATION(tlbi_mva, TLBI_MVA)
  `NW_OPERATION(tlbi_asid, TLBI_ASID)
  `NW_OPERATION(tlbi_mvaa, TLBI_MVAA)
  `NW_OPERATION(itlbi_all, ITLBI_ALL)
  `NW_OPERATION(itlbi_mva, ITLBI_MVA)
  `NW_OPERATION(itlbi_asid, ITLBI_ASID)
  `NW_OPERATION(dtlbi_all, DTLBI_ALL)
  `NW_OPERATION(dtlbi_mva, DTLBI_MVA)
  `NW_OPERATION(dtlbi_asid, DTLBI_ASID)
  `NW_OPERATION(tlbi_allnsnh, TLBI_ALLNSNH)
  `NW_OPERATION(tlbi_allh, TLBI_ALLH)
  `NW_OPERATION(tlbi_mvah, TLBI_MVAH)
  `NW_DROP(tlbi_all, TLBI_ALL, l1d, L1D)
  `NW_DROP(tlbi_all, TLBI_ALL, l1i, L1I)
  `NW_DROP(tlbi_all, TLBI_ALL, l2, L2)
  `NW_DROP(tlbi_all, TLBI_ALL, walk_cache, WALK_CACHE)
  `NW_DROP(tlbi_all, TLBI_ALL, ipa_cache, IPA_CACHE)
  `NW_DROP(tlbi_mva, TLBI_MVA, l1d, L1D)
  `NW_DROP(tlbi_mva, TLBI_MVA, l1i, L1I)
  `NW_DROP(tlbi_mva, TLBI_MVA, l2, L2)
  `NW_DROP(tlbi_mva, TLBI_MVA, walk_cache, WALK_CACHE)
  `NW_DROP(tlbi_asid, TLBI_ASID, l1d, L1D)
  `NW_DROP(tlbi_asid, TLBI_ASID, l1i, L1I)
  `NW_DROP(tlbi_asid, TLBI_ASID, l2, L2)
  `NW_DROP(tlbi_asid, TLBI_ASID, walk_cache, WALK_CACHE)
  `NW_DROP(tlbi_mvaa, TLBI_MVAA, l1d, L1D)
  `NW_DROP(tlbi_mvaa, TLBI_MVAA, l1i, L1I)
  `NW_DROP(tlbi_mvaa, TLBI_MVAA, l2, L2)
  `NW_DROP(tlbi_mvaa, TLBI_MVAA, walk_cache, WALK_CACHE)
  `NW_DROP(itlbi_all, ITLBI_ALL, l1i, L1I)
  `NW_DROP(itlbi_all, ITLBI_ALL, l2, L2)
  `NW_DROP(itlbi_all, ITLBI_ALL, walk_cache, WALK_CACHE)
  `NW_DROP(itlbi_all, ITLBI_ALL, ipa_cache, IPA_CACHE)
  `NW_DROP(itlbi_mva, ITLBI_MVA, l1i, L1I)
  `NW_DROP(itlbi_mva, ITLBI_MVA, l2, L2)
  `NW_DROP(itlbi_mva, ITLBI_MVA, walk_cache, WALK_CACHE)
  `NW_DROP(itlbi_asid, ITLBI_ASID, l1i, L1I)
  `NW_DROP(itlbi_asid, ITLBI_ASID, l2, L2)
  `NW_DROP(itlbi_asid, ITLBI_ASID, walk_cache, WALK_CACHE)
  `NW_DROP(dtlbi_all, DTLBI_ALL, l1d, L1D)
  `NW_DROP(dtlbi_all, DTLBI_ALL, l2, L2)
  `NW_DROP(dtlbi_all, DTLBI_ALL, walk_cache, WALK_CACHE)
  `NW_DROP(dtlbi_all, DTLBI_ALL, ipa_cache, IPA_CACHE)
  `NW_DROP(dtlbi_mva, DTLBI_MVA, l1d, L1D)
  `NW_DROP(dtlbi_mva, DTLBI_MVA, l2, L2)
  `NW_DROP(dtlbi_mva, DTLBI_MVA, walk_cache, WALK_CACHE)
  `NW_DROP(dtlbi_asid, DTLBI_ASID, l1d, L1D)
  `NW_DROP(dtlbi_asid, DTLBI_ASID, l2, L2)
  `NW_DROP(dtlbi_asid, DTLBI_ASID, walk_cache, WALK_CACHE)
  `NW_DROP(tlbi_allnsnh, TLBI_ALLNSNH, l1d, L1D)
  `NW_DROP(tlbi_allnsnh, TLBI_ALLNSNH, l1i, L1I)
  `NW_DROP(tlbi_allnsnh, TLBI_ALLNSNH, l2, L2)
  `NW_DROP(tlbi_allnsnh, TLBI_ALLNSNH, walk_cache, WALK_CACHE)
  `NW_DROP(tlbi_allnsnh, TLBI_ALLNSNH, ipa_cache, IPA_CACHE)

  `NW_IN_STATE(idle, StIdle)
  `NW_IN_STATE(begin, StBegin)
  `NW_IN_STATE(walk_cache_lookup, StWalkCacheLookup)
  `NW_IN_STATE(walk_cache_use, StWalkCacheUse)
  `NW_IN_STATE(ipa_cache_lookup, StIpaCacheLookup)
  `NW_IN_STATE(ipa_cache_use, StIpaCacheUse)
  `NW_IN_STATE(issue, StIssue)
  `NW_IN_STATE(wait, StWait)
  `NW_IN_STATE(decode, StDecode)
  `NW_IN_STATE(advance, StAdvance)
  `NW_IN_STATE(fill, StFill)
  `NW_IN_STATE(finish, StFinish)
  `NW_COVER(maintenance_waits_for_an_l1_lookup, waits_with_maintenance && in_l1)
  `NW_COVER(maintenance_waits_for_an_l2_lookup, waits_with_maintenance && in_l2)
  `NW_COVER(a_register_write_waits_for_an_l1_lookup, waits_with_write && in_l1)
  `NW_COVER(a_register_write_waits_for_an_l2_lookup, waits_with_write && in_l2)
  `NW_COVER(maintenance_comes_with_a_request, maintenance && request)
  `NW_COVER(a_register_write_comes_with_a_request, register_write && request)
  `NW_COVER(maintenance_comes_with_a_descriptor,
            maintenance && mem_rsp_valid_i && mem_rsp_ready_o)
  `NW_COVER(maintenance_empties_the_walk_cache_while_it_is_looked_up,
            drops[nw_pkg::WALK_CACHE] && obs_lookup_o[nw_pkg::WALK_CACHE])
  `NW_COVER(maintenance_empties_the_ipa_cache_while_it_is_looked_up,
            drops[nw_pkg::IPA_CACHE] && obs_lookup_o[nw_pkg::IPA_CACHE])
  `NW_COVER(maintenance_before_the_end_stops_an_install, succeeds && stale && !maintenance)
  `NW_COVER(maintenance_in_the_last_cycle_stops_an_install,
            succeeds && maintenance && stale)
  `NW_COVER(maintenance_stops_a_fill, obs_state_o == nw_pkg::StFill && stale)
  `NW_COVER(an_operation_of_hyp_lets_a_walk_install, walk_keeps && hyp_came_q)

  `NW_WRITE(reg_hcr, REG_HCR)
  `NW_WRITE(reg_vtcr, REG_VTCR)
  `NW_WRITE(reg_vttbr, REG_VTTBR)
  `NW_WRITE(reg_ttbcr, REG_TTBCR)
  `NW_WRITE(reg_ttbr0, REG_TTBR0)
  `NW_WRITE(reg_ttbr1, REG_TTBR1)
  `NW_WRITE(reg_dacr, REG_DACR)
  `NW_WRITE(reg_sctlr, REG_SCTLR)
  `NW_WRITE(reg_prrr_mair0, REG_PRRR_MAIR0)
  `NW_WRITE(reg_nmrr_mair1, REG_NMRR_MAIR1)
  `NW_WRITE(reg_contextidr, REG_CONTEXTIDR)
  `NW_COVER(a_walk_installs_under_the_asid_of_its_beginning,
            walk_keeps && walk_regime_q.asid != regime.asid)
  `NW_COVER(a_walk_installs_under_the_vmid_of_its_beginning,
            walk_keeps && walk_regime_q.vmid != regime.vmid)
  `NW_COVER(a_walk_ends_with_its_stages_after_they_were_switched,
            in_finish && {regime.s1_enabled, regime.s2_enabled} !=
            {walk_regime_q.s1_enabled, walk_regime_q.s2_enabled})

  // ---- handshakes -------------------------------------------------------------------------------

  `NW_COVER(a_request_waits_for_a_walk, req_valid_i && !req_ready_o && walking)
  `NW_COVER(a_request_waits_for_a_response_to_go, req_valid_i && in_idle && !req_ready_o)
  `NW_COVER(a_request_comes_as_a_response_goes, request && rsp_valid_o && rsp_ready_i)
  `NW_COVER(a_response_waits, rsp_valid_o && !rsp_ready_i)
  `NW_COVER(a_descriptor_read_waits, mem_req_valid_o && !mem_req_ready_i)
  `NW_COVER(a_descriptor_comes_in_the_next_cycle,
            mem_rsp_valid_i && mem_rsp_ready_o && last_state_q == nw_pkg::StIssue)
  `NW_COVER(a_descriptor_takes_its_time, mem_rsp_ready_o && !mem_rsp_valid_i)

endmodule
// verilator lint_on UNUSEDSIGNAL

bind nw_mmu nw_coverage u_coverage (
  .drops     ({u_ipa_cache.drops, u_walk_cache.drops, u_l2.drops, u_l1i.drops, u_l1d.drops}),
  .overlaps  ({u_ipa_cache.overlaps, u_walk_cache.overlaps, u_l2.overlaps, u_l1i.overlaps,
               u_l1d.overlaps}),
  .outdoes   ({u_ipa_cache.outdoes, u_walk_cache.outdoes, u_l2.outdoes, u_l1i.outdoes,
               u_l1d.outdoes}),
  .stale     (u_walker.stale_d),
  .s2_refuses(u_walker.s2_refuses),
  .sl0       (u_registers.vtcr_q.sl0),
  .*
);

`undef NW_COVER
`undef NW_HIT_SIZE
`undef NW_HIT_SIZES
`undef NW_STRUCTURE
`undef NW_OVERLAP
`undef NW_TLB
`undef NW_OPERATION
`undef NW_DROP
`undef NW_IN_STATE
`undef NW_WRITE

`endif
