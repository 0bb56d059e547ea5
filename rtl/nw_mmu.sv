// SPDX-License-Identifier: Apache-2.0
//
// The MMU: two level-1 TLBs, an optional level-2 TLB, an optional walk cache and IPA cache, the
// registers, and one two-stage walker. Structures are content-addressed (nw_cam.sv).
//
// A request takes these cycles: accepted (Idle), looked up in its side's L1, looked up in L2 where
// there is one, walked for (the states from nw_pkg::StBegin on). The response stands in a register
// from the next cycle on. A denied hit goes to the walk at once: the walk's verdict stands.
//
// Invariants: a walk uses the registers of the cycle in which its request was looked up, and its
// installs carry their tags; TLB hits are judged with the registers of the moment. In one cycle
// maintenance comes before installs, installs before lookups. A walk installs nothing if it faults
// or if any maintenance, matching or not, came since its lookup. Entries made under other stage
// switches never hit: the switches are part of the tag.
//
// Entries do not say which format they came from: whoever changes TTBCR.EAE has to drop them.
//
// Not here, though the C core has them: debug requests, agile paging, updates of descriptors by
// hardware (ARMv7 has none), more than one walk at a time.

module nw_mmu #(
  parameter int unsigned L1dEntries       = 16,
  parameter int unsigned L1iEntries       = 16,
  parameter int unsigned L2Entries        = 0,
  parameter int unsigned WalkCacheEntries = 8,
  parameter int unsigned IpaCacheEntries  = 8,
  parameter int unsigned TagWidth         = 8
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // Register writes and TLB maintenance, in the order in which they are accepted; a write shows
  // from the next cycle on, a drop at once. Upper halves of 32-bit registers and of operands are
  // ignored.
  input  logic                        ctrl_valid_i,
  output logic                        ctrl_ready_o,
  input  logic                        ctrl_maintenance_i,  // else a register write
  input  logic [3:0]                  ctrl_select_i,       // nw_pkg: operation or register
  input  logic [63:0]                 ctrl_data_i,

  // Requests, taken when nothing is going on and the last response is gone or going.
  input  logic                        req_valid_i,
  output logic                        req_ready_o,
  input  logic [nw_pkg::VA_WIDTH-1:0] req_va_i,
  input  logic [1:0]                  req_access_i,  // nw_pkg::READ, WRITE, EXECUTE
  input  logic                        req_privileged_i,
  input  logic [TagWidth-1:0]         req_tag_i,

  // Responses, held until accepted. rsp_fault_o (nw_pkg::FAULT_*) says which half is meant; the
  // other is 0.
  output logic                        rsp_valid_o,
  input  logic                        rsp_ready_i,
  output logic [TagWidth-1:0]         rsp_tag_o,
  output logic [nw_pkg::PA_WIDTH-1:0] rsp_pa_o,
  output logic [19:0]                 rsp_rights_o,
  output logic [4:0]                  rsp_page_log2_o,  // of the smaller stage's page
  output logic [4:0]                  rsp_s1_page_log2_o,
  output logic [4:0]                  rsp_s2_page_log2_o,
  output logic [7:0]                  rsp_attr_o,
  output logic [1:0]                  rsp_sh_o,
  output logic [1:0]                  rsp_source_o,  // nw_pkg::FROM_*
  output logic [3:0]                  rsp_fault_o,
  output logic [1:0]                  rsp_stage_o,
  output logic [1:0]                  rsp_level_o,
  output logic                        rsp_s1walk_o,  // stage 2, on the access to a descriptor
  output logic [3:0]                  rsp_domain_o,
  output logic [nw_pkg::PA_WIDTH-1:0] rsp_ipa_o,  // stage 2: what failed, offset included

  // Descriptor reads, one at a time: the request is held until accepted, the response comes one or
  // more cycles later. Data is little-endian, that of a 4-byte read in bits 31:0.
  output logic                        mem_req_valid_o,
  input  logic                        mem_req_ready_i,
  output logic [nw_pkg::PA_WIDTH-1:0] mem_req_addr_o,
  output logic                        mem_req_size_o,  // 8 bytes, else 4
  output logic                        mem_req_stage2_o,
  output logic [1:0]                  mem_req_level_o,
  output logic                        mem_req_for_s1_o,  // stage 2: to reach a stage-1 descriptor
  output logic [1:0]                  mem_req_s1_level_o,  // of that level
  input  logic                        mem_rsp_valid_i,
  output logic                        mem_rsp_ready_o,
  input  logic [63:0]                 mem_rsp_data_i,
  input  logic                        mem_rsp_error_i,

  // Observation, for the one cycle in which it happens; a bit for each structure in the order of
  // nw_pkg::L1D and so on. A way is that of the hit or of the install. obs_finish_o: a walk ends,
  // and installs or not; with both stages off there is no walk.
  output logic [4:0]                  obs_lookup_o,
  output logic [4:0]                  obs_hit_o,
  output logic [4:0]                  obs_install_o,
  output logic [4:0]                  obs_evict_o,
  output logic [7:0]                  obs_way_l1d_o,
  output logic [7:0]                  obs_way_l1i_o,
  output logic [7:0]                  obs_way_l2_o,
  output logic [7:0]                  obs_way_walk_cache_o,
  output logic [7:0]                  obs_way_ipa_cache_o,
  output logic                        obs_finish_o,
  output logic [3:0]                  obs_state_o
);

  // ---- the request in hand ----------------------------------------------------------------------

  typedef enum logic [1:0] {
    FrontIdle,
    FrontL1,
    FrontL2,
    FrontWalk
  } front_e;

  front_e               front_q, front_d;
  logic [31:0]          va_q, va_d;
  logic [1:0]           access_q, access_d;
  logic                 privileged_q, privileged_d;
  logic [TagWidth-1:0]  tag_q, tag_d;
  nw_pkg::regime_t      regime;            // the registers of the moment
  nw_pkg::regime_t      walk_regime_q;     // those of the lookup
  nw_pkg::regime_t      walk_regime_d;

  logic accepts;
  assign req_ready_o = front_q == FrontIdle && (!rsp_valid_o || rsp_ready_i);
  assign accepts     = req_valid_i && req_ready_o;

  always_comb begin
    va_d         = va_q;
    access_d     = access_q;
    privileged_d = privileged_q;
    tag_d        = tag_q;
    if (accepts) begin
      va_d         = req_va_i;
      access_d     = req_access_i;
      privileged_d = req_privileged_i;
      tag_d        = req_tag_i;
    end
  end

  logic in_l1, in_l2, fetches;
  assign in_l1   = front_q == FrontL1;
  assign in_l2   = front_q == FrontL2;
  assign fetches = access_q == nw_pkg::EXECUTE;
  assign walk_regime_d = in_l1 ? regime : walk_regime_q;

  // ---- control ----------------------------------------------------------------------------------

  // Nothing changes between a lookup and what follows from it.
  logic takes_control, register_write, maintenance;
  assign ctrl_ready_o   = !in_l1 && !in_l2;
  assign takes_control  = ctrl_valid_i && ctrl_ready_o;
  assign register_write = takes_control && !ctrl_maintenance_i;

  nw_registers u_registers (
    .clk_i,
    .rst_ni,
    .write_i (register_write),
    .select_i(ctrl_select_i),
    .data_i  (ctrl_data_i),
    .regime_o(regime)
  );

  logic          drops_l1d, drops_l1i, drops_unified, drops_ipa_cache;
  nw_pkg::drop_t of_tlbs, of_walk_cache, of_ipa_cache;
  nw_maintenance u_maintenance (
    .valid_i          (takes_control && ctrl_maintenance_i),
    .operation_i      (ctrl_select_i),
    .operand_i        (ctrl_data_i[31:0]),
    .vmid_i           (regime.vmid),
    .drops_l1d_o      (drops_l1d),
    .drops_l1i_o      (drops_l1i),
    .drops_unified_o  (drops_unified),
    .drops_ipa_cache_o(drops_ipa_cache),
    .of_tlbs_o        (of_tlbs),
    .of_walk_cache_o  (of_walk_cache),
    .of_ipa_cache_o   (of_ipa_cache)
  );
  assign maintenance = drops_unified;  // every operation that is one

  // ---- tags -------------------------------------------------------------------------------------

  // {stage 2 on, stage 1 off, VMID} of what is looked up now, and of what the walk makes.
  logic [9:0] context_now, walk_context;
  assign context_now  = {regime.s2_enabled, !regime.s1_enabled, regime.vmid};
  assign walk_context = {walk_regime_q.s2_enabled, !walk_regime_q.s1_enabled, walk_regime_q.vmid};

  // ---- the TLBs ---------------------------------------------------------------------------------

  // They are installed into at the end of a walk, an L1 also from the L2.
  logic [2:0]                        install_size, l1d_size, l1i_size, l2_size;
  nw_pkg::tlb_data_t                 install_data;
  logic [nw_pkg::TLB_DATA_WIDTH-1:0] l1d_data, l1i_data, l2_data;

  nw_store #(
    .Entries  (L1dEntries),
    .KeyWidth (nw_pkg::VA_KEY_WIDTH),
    .DataWidth(nw_pkg::TLB_DATA_WIDTH)
  ) u_l1d (
    .clk_i,
    .rst_ni,
    .lookup_i         (obs_lookup_o[nw_pkg::L1D]),
    .lookup_key_i     (va_q[31:12]),
    .lookup_asid_i    (regime.asid),
    .lookup_context_i (context_now),
    .hit_o            (obs_hit_o[nw_pkg::L1D]),
    .hit_size_o       (l1d_size),
    .hit_data_o       (l1d_data),
    .install_i        (obs_install_o[nw_pkg::L1D]),
    .install_key_i    (va_q[31:12]),
    .install_size_i   (install_size),
    .install_asid_i   (walk_regime_q.asid),
    .install_context_i(walk_context),
    .install_global_i (install_data.global),
    .install_data_i   (install_data),
    .evict_o          (obs_evict_o[nw_pkg::L1D]),
    .way_o            (obs_way_l1d_o),
    .drop_i           (drops_l1d),
    .what_i           (of_tlbs)
  );

  nw_store #(
    .Entries  (L1iEntries),
    .KeyWidth (nw_pkg::VA_KEY_WIDTH),
    .DataWidth(nw_pkg::TLB_DATA_WIDTH)
  ) u_l1i (
    .clk_i,
    .rst_ni,
    .lookup_i         (obs_lookup_o[nw_pkg::L1I]),
    .lookup_key_i     (va_q[31:12]),
    .lookup_asid_i    (regime.asid),
    .lookup_context_i (context_now),
    .hit_o            (obs_hit_o[nw_pkg::L1I]),
    .hit_size_o       (l1i_size),
    .hit_data_o       (l1i_data),
    .install_i        (obs_install_o[nw_pkg::L1I]),
    .install_key_i    (va_q[31:12]),
    .install_size_i   (install_size),
    .install_asid_i   (walk_regime_q.asid),
    .install_context_i(walk_context),
    .install_global_i (install_data.global),
    .install_data_i   (install_data),
    .evict_o          (obs_evict_o[nw_pkg::L1I]),
    .way_o            (obs_way_l1i_o),
    .drop_i           (drops_l1i),
    .what_i           (of_tlbs)
  );

  nw_store #(
    .Entries  (L2Entries),
    .KeyWidth (nw_pkg::VA_KEY_WIDTH),
    .DataWidth(nw_pkg::TLB_DATA_WIDTH)
  ) u_l2 (
    .clk_i,
    .rst_ni,
    .lookup_i         (obs_lookup_o[nw_pkg::L2]),
    .lookup_key_i     (va_q[31:12]),
    .lookup_asid_i    (regime.asid),
    .lookup_context_i (context_now),
    .hit_o            (obs_hit_o[nw_pkg::L2]),
    .hit_size_o       (l2_size),
    .hit_data_o       (l2_data),
    .install_i        (obs_install_o[nw_pkg::L2]),
    .install_key_i    (va_q[31:12]),
    .install_size_i   (install_size),
    .install_asid_i   (walk_regime_q.asid),
    .install_context_i(walk_context),
    .install_global_i (install_data.global),
    .install_data_i   (install_data),
    .evict_o          (obs_evict_o[nw_pkg::L2]),
    .way_o            (obs_way_l2_o),
    .drop_i           (drops_unified),
    .what_i           (of_tlbs)
  );

  // With both stages off nothing is looked up or kept.
  logic translation_off;
  assign translation_off = !regime.s1_enabled && !regime.s2_enabled;

  // ---- the hit's verdict ------------------------------------------------------------------------

  // At most one TLB is looked up in a cycle.
  logic              hit, allowed;
  logic [2:0]        hit_size;
  nw_pkg::tlb_data_t hit_entry;
  assign hit       = obs_hit_o[nw_pkg::L1D] || obs_hit_o[nw_pkg::L1I] || obs_hit_o[nw_pkg::L2];
  assign hit_size  = in_l2 ? l2_size : fetches ? l1i_size : l1d_size;
  assign hit_entry = in_l2 ? l2_data : fetches ? l1i_data : l1d_data;

  logic unused_global;  // concerns the refill alone, which takes the whole entry
  assign unused_global = hit_entry.global;

  logic [3:0] stage1_fault;
  logic       stage2_allows;
  nw_permission u_permission (
    .long_i            (regime.long_descriptors),
    .access_flag_in_ap_i(regime.access_flag_in_ap),
    .wxn_i             (regime.wxn),
    .uwxn_i            (regime.uwxn),
    .dacr_i            (regime.dacr),
    .rights_i          (hit_entry.rights),
    .access_i          (access_q),
    .privileged_i      (privileged_q),
    .stage1_fault_o    (stage1_fault),
    .stage2_allows_o   (stage2_allows)
  );
  assign allowed = stage1_fault == nw_pkg::FAULT_NONE && stage2_allows;

  // ---- what comes next --------------------------------------------------------------------------

  logic hits, walk_starts, walk_ends, responds;
  always_comb begin
    front_d     = front_q;
    hits        = 1'b0;
    walk_starts = 1'b0;
    unique case (front_q)
      FrontIdle: if (accepts) front_d = FrontL1;
      FrontL1, FrontL2: begin
        hits = hit && allowed;
        if (hits || translation_off) begin
          front_d = FrontIdle;
        end else if (in_l1 && !hit && L2Entries > 0) begin
          front_d = FrontL2;
        end else begin
          front_d     = FrontWalk;
          walk_starts = 1'b1;
        end
      end
      default: if (walk_ends) front_d = FrontIdle;
    endcase
  end
  assign responds = hits || walk_ends || (in_l1 && translation_off);

  // ---- the walk ---------------------------------------------------------------------------------

  nw_pkg::state_e                     walk_state;
  nw_pkg::walk_result_t               walked;
  logic                               walk_keeps;
  logic [nw_pkg::WALK_DATA_WIDTH-1:0] walk_cache_data;
  logic [nw_pkg::IPA_KEY_WIDTH-1:0]   ipa_cache_key;
  logic [2:0]                         ipa_cache_size;
  logic [nw_pkg::IPA_DATA_WIDTH-1:0]  ipa_cache_data;
  logic                               fill_valid;
  nw_pkg::fill_t                      fill;

  nw_walker #(
    .WalkCache(WalkCacheEntries > 0),
    .IpaCache (IpaCacheEntries > 0)
  ) u_walker (
    .clk_i,
    .rst_ni,
    .start_i            (walk_starts),
    .regime_i           (walk_regime_q),
    .va_i               (va_q),
    .access_i           (access_q),
    .privileged_i       (privileged_q),
    .done_o             (walk_ends),
    .result_o           (walked),
    .keep_o             (walk_keeps),
    .state_o            (walk_state),
    .maintenance_i      (maintenance),
    .mem_req_valid_o,
    .mem_req_ready_i,
    .mem_req_addr_o,
    .mem_req_size_o,
    .mem_req_stage2_o,
    .mem_req_level_o,
    .mem_req_for_s1_o,
    .mem_req_s1_level_o,
    .mem_rsp_valid_i,
    .mem_rsp_ready_o,
    .mem_rsp_data_i,
    .mem_rsp_error_i,
    .walk_cache_lookup_o(obs_lookup_o[nw_pkg::WALK_CACHE]),
    .walk_cache_hit_i   (obs_hit_o[nw_pkg::WALK_CACHE]),
    .walk_cache_data_i  (walk_cache_data),
    .ipa_cache_lookup_o (obs_lookup_o[nw_pkg::IPA_CACHE]),
    .ipa_cache_key_o    (ipa_cache_key),
    .ipa_cache_hit_i    (obs_hit_o[nw_pkg::IPA_CACHE]),
    .ipa_cache_size_i   (ipa_cache_size),
    .ipa_cache_data_i   (ipa_cache_data),
    .fill_valid_o       (fill_valid),
    .fill_o             (fill)
  );

  logic [2:0] unused_walk_cache_size;  // the table's level stands in the entry
  nw_store #(
    .Entries  (WalkCacheEntries),
    .KeyWidth (nw_pkg::VA_KEY_WIDTH),
    .DataWidth(nw_pkg::WALK_DATA_WIDTH),
    .Nested   (1'b1)
  ) u_walk_cache (
    .clk_i,
    .rst_ni,
    .lookup_i         (obs_lookup_o[nw_pkg::WALK_CACHE]),
    .lookup_key_i     (va_q[31:12]),
    .lookup_asid_i    (walk_regime_q.asid),
    .lookup_context_i (walk_context),
    .hit_o            (obs_hit_o[nw_pkg::WALK_CACHE]),
    .hit_size_o       (unused_walk_cache_size),
    .hit_data_o       (walk_cache_data),
    .install_i        (obs_install_o[nw_pkg::WALK_CACHE]),
    .install_key_i    (fill.key[nw_pkg::VA_KEY_WIDTH-1:0]),
    .install_size_i   (fill.size),
    .install_asid_i   (walk_regime_q.asid),
    .install_context_i(walk_context),
    .install_global_i (1'b0),
    .install_data_i   (fill.data[nw_pkg::WALK_DATA_WIDTH-1:0]),
    .evict_o          (obs_evict_o[nw_pkg::WALK_CACHE]),
    .way_o            (obs_way_walk_cache_o),
    .drop_i           (drops_unified),
    .what_i           (of_walk_cache)
  );

  // Stage 2 alone made what the IPA cache keeps: no ASID, and the stage switches do not matter.
  nw_store #(
    .Entries  (IpaCacheEntries),
    .KeyWidth (nw_pkg::IPA_KEY_WIDTH),
    .DataWidth(nw_pkg::IPA_DATA_WIDTH)
  ) u_ipa_cache (
    .clk_i,
    .rst_ni,
    .lookup_i         (obs_lookup_o[nw_pkg::IPA_CACHE]),
    .lookup_key_i     (ipa_cache_key),
    .lookup_asid_i    (8'h00),
    .lookup_context_i ({2'b00, walk_regime_q.vmid}),
    .hit_o            (obs_hit_o[nw_pkg::IPA_CACHE]),
    .hit_size_o       (ipa_cache_size),
    .hit_data_o       (ipa_cache_data),
    .install_i        (obs_install_o[nw_pkg::IPA_CACHE]),
    .install_key_i    (fill.key),
    .install_size_i   (fill.size),
    .install_asid_i   (8'h00),
    .install_context_i({2'b00, walk_regime_q.vmid}),
    .install_global_i (1'b1),
    .install_data_i   (fill.data),
    .evict_o          (obs_evict_o[nw_pkg::IPA_CACHE]),
    .way_o            (obs_way_ipa_cache_o),
    .drop_i           (drops_ipa_cache),
    .what_i           (of_ipa_cache)
  );

  // ---- lookups and installs ---------------------------------------------------------------------

  logic l1_lookup, l1_install;
  assign l1_lookup  = in_l1 && !translation_off;
  assign l1_install = walk_keeps || (in_l2 && hits);

  assign obs_lookup_o[nw_pkg::L1D]         = l1_lookup && !fetches;
  assign obs_lookup_o[nw_pkg::L1I]         = l1_lookup && fetches;
  assign obs_lookup_o[nw_pkg::L2]          = in_l2;
  assign obs_install_o[nw_pkg::L1D]        = l1_install && !fetches;
  assign obs_install_o[nw_pkg::L1I]        = l1_install && fetches;
  assign obs_install_o[nw_pkg::L2]         = walk_keeps && L2Entries > 0;
  assign obs_install_o[nw_pkg::WALK_CACHE] = fill_valid && !fill.ipa_cache;
  assign obs_install_o[nw_pkg::IPA_CACHE]  = fill_valid && fill.ipa_cache;

  nw_pkg::tlb_data_t walked_entry;
  assign walked_entry = {walked.global, walked.s1_size, walked.s2_size, walked.attributes,
                         walked.rights,
                         walked.pa[39:12] & nw_pkg::size_key_mask(walked.entry_size)};
  assign install_size = in_l2 ? l2_size : walked.entry_size;
  assign install_data = in_l2 ? l2_data : walked_entry;

  assign obs_finish_o = walk_ends;
  always_comb begin
    unique case (front_q)
      FrontIdle: obs_state_o = nw_pkg::StIdle;
      FrontL1:   obs_state_o = nw_pkg::StL1;
      FrontL2:   obs_state_o = nw_pkg::StL2;
      default:   obs_state_o = walk_state;
    endcase
  end

  // ---- the response -----------------------------------------------------------------------------

  logic              rsp_valid_q, rsp_valid_d;
  nw_pkg::response_t response_q, response_d;
  logic [TagWidth-1:0] rsp_tag_q, rsp_tag_d;

  nw_pkg::response_t of_hit, of_walk, of_fault, of_no_translation;

  always_comb begin
    of_hit            = '0;
    of_hit.pa         = nw_pkg::with_offset({hit_entry.page, 12'h000}, {8'h00, va_q}, hit_size);
    of_hit.rights     = hit_entry.rights;
    of_hit.page_size  = hit_size;
    of_hit.s1_size    = hit_entry.s1_size;
    of_hit.s2_size    = hit_entry.s2_size;
    of_hit.attributes = hit_entry.attributes;
    of_hit.source     = in_l2 ? nw_pkg::FROM_L2 : nw_pkg::FROM_L1;

    of_walk            = '0;
    of_walk.pa         = walked.pa;
    of_walk.rights     = walked.rights;
    of_walk.page_size  = walked.page_size;
    of_walk.s1_size    = walked.s1_size;
    of_walk.s2_size    = walked.s2_size;
    of_walk.attributes = walked.attributes;
    of_walk.source     = nw_pkg::FROM_WALK;

    of_fault           = '0;
    of_fault.page_size = nw_pkg::SIZE_OFF;
    of_fault.s1_size   = nw_pkg::SIZE_OFF;
    of_fault.s2_size   = nw_pkg::SIZE_OFF;
    of_fault.fault     = walked.fault;
    of_fault.ipa       = walked.fault_ipa;

    of_no_translation                   = '0;
    of_no_translation.pa                = {8'h00, va_q};
    of_no_translation.rights.stage2     = 3'b111;
    of_no_translation.rights.stage1_off = 1'b1;
    of_no_translation.page_size         = nw_pkg::SIZE_4K;
    of_no_translation.s1_size           = nw_pkg::SIZE_OFF;
    of_no_translation.s2_size           = nw_pkg::SIZE_OFF;
    of_no_translation.attributes        = nw_pkg::stage1_off_attributes(
        regime.default_cacheable, regime.instruction_cache, access_q);
    of_no_translation.source            = nw_pkg::FROM_WALK;
  end

  always_comb begin
    rsp_valid_d = rsp_valid_q && !rsp_ready_i;
    rsp_tag_d   = rsp_tag_q;
    response_d  = response_q;
    if (responds) begin
      rsp_valid_d = 1'b1;
      rsp_tag_d   = tag_q;
      if (hits)                                             response_d = of_hit;
      else if (in_l1)                                       response_d = of_no_translation;
      else if (walked.fault.kind != nw_pkg::FAULT_NONE)     response_d = of_fault;
      else                                                  response_d = of_walk;
    end
  end

  assign rsp_valid_o        = rsp_valid_q;
  assign rsp_tag_o          = rsp_tag_q;
  assign rsp_pa_o           = response_q.pa;
  assign rsp_rights_o       = nw_pkg::rights_word(response_q.rights);
  assign rsp_page_log2_o    = nw_pkg::size_log2(response_q.page_size);
  assign rsp_s1_page_log2_o = nw_pkg::size_log2(response_q.s1_size);
  assign rsp_s2_page_log2_o = nw_pkg::size_log2(response_q.s2_size);
  assign rsp_attr_o         = response_q.attributes.attr;
  assign rsp_sh_o           = response_q.attributes.sh;
  assign rsp_source_o       = response_q.source;
  assign rsp_fault_o        = response_q.fault.kind;
  assign rsp_stage_o        = response_q.fault.stage;
  assign rsp_level_o        = response_q.fault.level;
  assign rsp_s1walk_o       = response_q.fault.s1walk;
  assign rsp_domain_o       = response_q.fault.domain;
  assign rsp_ipa_o          = response_q.ipa;

  // ---- registers --------------------------------------------------------------------------------

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      front_q       <= FrontIdle;
      va_q          <= '0;
      access_q      <= '0;
      privileged_q  <= 1'b0;
      tag_q         <= '0;
      walk_regime_q <= '0;
    end else begin
      front_q       <= front_d;
      va_q          <= va_d;
      access_q      <= access_d;
      privileged_q  <= privileged_d;
      tag_q         <= tag_d;
      walk_regime_q <= walk_regime_d;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rsp_valid_q <= 1'b0;
      rsp_tag_q   <= '0;
      response_q  <= '0;
    end else begin
      rsp_valid_q <= rsp_valid_d;
      rsp_tag_q   <= rsp_tag_d;
      response_q  <= response_d;
    end
  end

  // ---- assertions -------------------------------------------------------------------------------

`ifndef SYNTHESIS
  logic                running_q;   // out of reset
  logic                pending_q;   // a request was accepted and its response is not
  logic [TagWidth-1:0] pending_tag_q;
  logic                rsp_waits_q;  // a response was not accepted in the cycle before
  nw_pkg::response_t   waiting_q;
  logic                delivers;
  assign delivers = rsp_valid_o && rsp_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q     <= 1'b0;
      pending_q     <= 1'b0;
      pending_tag_q <= '0;
      rsp_waits_q   <= 1'b0;
      waiting_q     <= '0;
    end else begin
      running_q     <= 1'b1;
      pending_q     <= accepts || (pending_q && !delivers);
      pending_tag_q <= accepts ? req_tag_i : pending_tag_q;
      rsp_waits_q   <= rsp_valid_o && !rsp_ready_i;
      waiting_q     <= response_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_response_is_held_until_accepted:
          assert (!rsp_waits_q || (rsp_valid_o && response_q == waiting_q));
      a_response_answers_a_request:
          assert (!rsp_valid_o || (pending_q && rsp_tag_o == pending_tag_q));
      a_request_waits_for_the_last_response: assert (!accepts || !pending_q || delivers);
      a_request_in_hand_is_answered_or_worked_on:
          assert (pending_q == (rsp_valid_o || front_q != FrontIdle));
      a_response_has_room: assert (!responds || !rsp_valid_q);
      the_walker_walks_when_it_is_to:
          assert ((walk_state != nw_pkg::StIdle) == (front_q == FrontWalk));
      one_structure_is_looked_up:
          assert ((obs_lookup_o & (obs_lookup_o - 5'd1)) == 5'd0);
      a_hit_is_of_a_lookup: assert ((obs_hit_o & ~obs_lookup_o) == 5'd0);
      no_structure_is_looked_up_and_installed_into: assert ((obs_lookup_o & obs_install_o) == 5'd0);
      an_eviction_is_of_an_install: assert ((obs_evict_o & ~obs_install_o) == 5'd0);
      one_side_of_level_1_is_installed_into:
          assert (!(obs_install_o[nw_pkg::L1D] && obs_install_o[nw_pkg::L1I]));
      nothing_is_dropped_and_installed_in_one_cycle:
          assert (!maintenance || obs_install_o == 5'd0);
      a_faulting_walk_installs_nothing:
          assert (front_q != FrontWalk || walked.fault.kind == nw_pkg::FAULT_NONE ||
                  obs_install_o == 5'd0);
      nothing_is_looked_up_with_translation_off:
          assert (!(in_l1 && translation_off) || obs_lookup_o == 5'd0);
    end
  end
`endif
`ifdef NW_PROVE_MMU
`include "nw_mmu_properties.svh"
`endif

endmodule
