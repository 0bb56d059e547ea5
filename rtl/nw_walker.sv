// SPDX-License-Identifier: Apache-2.0
//
// The two-stage table walk, DDI 0406C B3.3 to B3.6 and the manual's TranslationTableWalkSD/LD,
// SecondStageTranslate: one descriptor read at a time.
//
// Stage 2 is a subroutine of stage 1 in all but name: it is entered for the address of every
// stage-1 descriptor and for the address that stage 1 gives, and `for_descriptor_q` says where it
// returns to. What a cycle finds out is one of a few events (the first process below); where an
// event leads is the same in whatever state it happens (the second).
//
// Invariants: nothing is read from a stage-1 table before its address has been through stage 2;
// fills are held and made only after the walk has succeeded, and not after maintenance; regime_i,
// the registers of the walk's beginning, and the request stay as they are until done_o.

module nw_walker #(
  parameter bit WalkCache = 1'b1,  // there is a walk cache
  parameter bit IpaCache  = 1'b1   // there is an IPA cache
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,

  // start_i in a cycle in which state_o is StIdle; done_o in the walk's last cycle.
  input  logic                             start_i,
  input  nw_pkg::regime_t                  regime_i,
  input  logic [nw_pkg::VA_WIDTH-1:0]      va_i,
  input  logic [1:0]                       access_i,
  input  logic                             privileged_i,
  output logic                             done_o,
  output nw_pkg::walk_result_t             result_o,
  output logic                             keep_o,  // with done_o: the result may be installed
  output nw_pkg::state_e                   state_o,

  input  logic                             maintenance_i,  // from now on nothing may be kept

  // Descriptor reads.
  output logic                             mem_req_valid_o,
  input  logic                             mem_req_ready_i,
  output logic [nw_pkg::PA_WIDTH-1:0]      mem_req_addr_o,
  output logic                             mem_req_size_o,
  output logic                             mem_req_stage2_o,
  output logic [1:0]                       mem_req_level_o,
  output logic                             mem_req_for_s1_o,
  output logic [1:0]                       mem_req_s1_level_o,
  input  logic                             mem_rsp_valid_i,
  output logic                             mem_rsp_ready_o,
  input  logic [63:0]                      mem_rsp_data_i,
  input  logic                             mem_rsp_error_i,

  // The walk cache, looked up by va_i, and the IPA cache.
  output logic                             walk_cache_lookup_o,
  input  logic                             walk_cache_hit_i,
  input  nw_pkg::walk_data_t               walk_cache_data_i,
  output logic                             ipa_cache_lookup_o,
  output logic [nw_pkg::IPA_KEY_WIDTH-1:0] ipa_cache_key_o,
  input  logic                             ipa_cache_hit_i,
  input  logic [2:0]                       ipa_cache_size_i,
  input  nw_pkg::ipa_data_t                ipa_cache_data_i,
  output logic                             fill_valid_o,
  output nw_pkg::fill_t                    fill_o
);

  // ---- where the walk stands --------------------------------------------------------------------

  nw_pkg::state_e      state_q, state_d;

  // Stage 1: the table looked into, what those above it said, and the leaf.
  nw_pkg::position_t   s1_position_q, s1_position_d;
  nw_pkg::limits_t     limits_q, limits_d;
  nw_pkg::rights_t     s1_rights_q, s1_rights_d;
  nw_pkg::attributes_t s1_attributes_q, s1_attributes_d;
  logic [2:0]          s1_size_q, s1_size_d;
  logic                global_q, global_d;

  // Stage 2: the IPA that it translates, and its leaf.
  logic [39:0]         s2_input_q, s2_input_d;
  logic                for_descriptor_q, for_descriptor_d;  // the IPA is a stage-1 descriptor's
  nw_pkg::position_t   s2_position_q, s2_position_d;
  logic [2:0]          s2_rights_q, s2_rights_d;
  nw_pkg::attributes_t s2_attributes_q, s2_attributes_d;
  logic [2:0]          s2_size_q, s2_size_d;

  // The address through both stages: of the stage-1 descriptor to be read, in the end of the VA.
  logic [39:0]         pa_q, pa_d;

  // The descriptor in hand: as memory gave it, and what it means. An IPA-cache hit is a leaf.
  logic                reads_stage2_q, reads_stage2_d;
  logic [63:0]         data_q, data_d;
  logic                error_q, error_d;
  nw_pkg::descriptor_t descriptor_q, descriptor_d;

  nw_pkg::fault_t      fault_q, fault_d;
  logic                stale_q, stale_d;  // maintenance came since the walk began

  // ---- what a cycle finds out -------------------------------------------------------------------

  logic s1_descends;  // stage 1 has come to a table: its descriptor is wanted
  logic s1_ends;      // stage 1 has given an address
  logic s2_starts;    // stage 2 looks into its root, since no cache knows
  logic s2_descends;  // stage 2 has come to a table
  logic s2_ends;      // stage 2 has given an address
  logic fails;

  logic       root_missing, leaf_in_hand, stage2_allows, protected_from_walk;
  logic [1:0] root;

  assign root         = nw_pkg::stage1_root(va_i[31:25], regime_i.lower_cut, regime_i.upper_cut);
  assign root_missing = root == nw_pkg::ROOT_NONE ||
                        (root == nw_pkg::ROOT_LOWER && regime_i.lower.disabled) ||
                        (root == nw_pkg::ROOT_UPPER && regime_i.upper.disabled);
  assign leaf_in_hand = descriptor_q.kind == nw_pkg::KIND_LEAF;

  always_comb begin
    s1_descends = 1'b0;
    s1_ends     = 1'b0;
    s2_starts   = 1'b0;
    s2_descends = 1'b0;
    s2_ends     = 1'b0;
    fails       = 1'b0;
    unique case (state_q)
      nw_pkg::StBegin: begin
        if (!regime_i.s1_enabled) s1_ends = 1'b1;
        else if (root_missing)    fails = 1'b1;
        else                      s1_descends = !WalkCache;
      end
      nw_pkg::StWalkCacheUse: begin
        s1_descends = 1'b1;
      end
      nw_pkg::StIpaCacheUse: begin
        // An entry that denies is walked again: the walk's verdict stands.
        if (!leaf_in_hand || !stage2_allows) s2_starts = 1'b1;
        else if (protected_from_walk)        fails = 1'b1;
        else                                 s2_ends = 1'b1;
      end
      nw_pkg::StAdvance: begin
        if (fault_q.kind != nw_pkg::FAULT_NONE) begin
          fails = 1'b1;
        end else if (reads_stage2_q) begin
          s2_ends     = leaf_in_hand;
          s2_descends = !leaf_in_hand;
        end else begin
          s1_ends     = leaf_in_hand;
          s1_descends = !leaf_in_hand;
        end
      end
      default: ;
    endcase
  end

  // ---- where that leads -------------------------------------------------------------------------

  logic s2_enters;      // stage 2 is given an IPA
  logic s2_refuses;     // which is out of its root's range, or VTCR is inconsistent
  logic at_descriptor;  // pa_d is that of a stage-1 descriptor
  logic succeeds;       // pa_d is that of the VA
  logic fills_left;

  assign s2_enters     = (s1_descends || s1_ends) && regime_i.s2_enabled;
  assign at_descriptor = s1_descends ? !regime_i.s2_enabled : s2_ends && for_descriptor_q;
  assign succeeds      = s1_ends ? !regime_i.s2_enabled : s2_ends && !for_descriptor_q;

  always_comb begin
    state_d        = state_q;
    reads_stage2_d = reads_stage2_q;
    unique case (state_q)
      nw_pkg::StIdle:            if (start_i) state_d = nw_pkg::StBegin;
      nw_pkg::StBegin:           state_d = nw_pkg::StWalkCacheLookup;  // unless an event says else
      nw_pkg::StWalkCacheLookup: state_d = nw_pkg::StWalkCacheUse;
      nw_pkg::StIpaCacheLookup:  state_d = nw_pkg::StIpaCacheUse;
      nw_pkg::StIssue:           if (mem_req_ready_i) state_d = nw_pkg::StWait;
      nw_pkg::StWait:            if (mem_rsp_valid_i) state_d = nw_pkg::StDecode;
      nw_pkg::StDecode:          state_d = nw_pkg::StAdvance;
      nw_pkg::StFill:            if (!fills_left) state_d = nw_pkg::StFinish;
      nw_pkg::StFinish:          state_d = nw_pkg::StIdle;
      default:                   ;  // an event leads on
    endcase
    if (fails || s2_refuses) begin
      state_d = nw_pkg::StFinish;
    end else if (s2_enters && IpaCache) begin
      state_d = nw_pkg::StIpaCacheLookup;
    end else if (s2_enters || s2_starts || s2_descends) begin
      state_d        = nw_pkg::StIssue;
      reads_stage2_d = 1'b1;
    end else if (at_descriptor) begin
      state_d        = nw_pkg::StIssue;
      reads_stage2_d = 1'b0;
    end else if (succeeds) begin
      state_d = fills_left ? nw_pkg::StFill : nw_pkg::StFinish;
    end
  end

  assign state_o = state_q;
  assign done_o  = state_q == nw_pkg::StFinish;

  // ---- stage 1 ----------------------------------------------------------------------------------

  // Tables below the root have 256 short or 512 long descriptors.
  logic [3:0]  table_index_bits;
  logic [39:0] s1_descriptor_address, s1_output;
  assign table_index_bits      = regime_i.long_descriptors ? 4'd9 : 4'd8;
  assign s1_descriptor_address = nw_pkg::descriptor_address(
      regime_i.long_descriptors, s1_position_d.base, s1_position_d.level, s1_position_d.index_bits,
      {8'h00, va_i[31:12]});

  always_comb begin
    s1_position_d = s1_position_q;
    limits_d      = limits_q;
    if (state_q == nw_pkg::StBegin) begin
      s1_position_d = root == nw_pkg::ROOT_UPPER ? regime_i.upper.start : regime_i.lower.start;
      limits_d      = '0;
    end else if (walk_cache_lookup_o && walk_cache_hit_i) begin
      s1_position_d = {walk_cache_data_i.base, 10'h000, walk_cache_data_i.level, table_index_bits};
      limits_d      = walk_cache_data_i.limits;
    end else if (state_q == nw_pkg::StAdvance && s1_descends) begin
      s1_position_d = {descriptor_q.base, s1_position_q.level + 2'd1, table_index_bits};
      limits_d      = limits_q | descriptor_q.limits;
    end
  end

  // Where stage 1 is off the VA is the IPA, for every ASID.
  always_comb begin
    s1_rights_d     = s1_rights_q;
    s1_attributes_d = s1_attributes_q;
    s1_size_d       = s1_size_q;
    global_d        = global_q;
    s1_output       = {8'h00, va_i};
    if (state_q == nw_pkg::StBegin) begin
      s1_rights_d            = '0;
      s1_rights_d.stage1_off = 1'b1;
      s1_attributes_d        = nw_pkg::stage1_off_attributes(
          regime_i.default_cacheable, regime_i.instruction_cache, access_i);
      s1_size_d              = nw_pkg::SIZE_OFF;
      global_d               = 1'b1;
    end else if (s1_ends) begin
      s1_rights_d     = descriptor_q.rights;
      s1_attributes_d = descriptor_q.attributes;
      s1_size_d       = descriptor_q.size;
      global_d        = descriptor_q.global;
      s1_output       = nw_pkg::with_offset(descriptor_q.base, {8'h00, va_i}, descriptor_q.size);
    end
  end

  // ---- stage 2 ----------------------------------------------------------------------------------

  // An IPA out of the root's range is a level-1 translation fault, as is an inconsistent VTCR
  // (TranslationTableWalkLD).
  assign s2_refuses = s2_enters && (regime_i.stage2.disabled ||
                                    (s2_input_d[39:25] & regime_i.stage2_beyond) != '0);

  always_comb begin
    s2_input_d       = s2_input_q;
    for_descriptor_d = for_descriptor_q;
    s2_position_d    = s2_position_q;
    if (s2_enters) begin
      s2_input_d       = s1_descends ? s1_descriptor_address : s1_output;
      for_descriptor_d = s1_descends;
      s2_position_d    = regime_i.stage2.start;
    end else if (s2_descends) begin
      s2_position_d = {descriptor_q.base, s2_position_q.level + 2'd1, 4'd9};
    end
  end

  logic [39:0] s2_output;
  assign s2_output = nw_pkg::with_offset(descriptor_q.base, s2_input_q, descriptor_q.size);

  always_comb begin
    s2_rights_d     = s2_rights_q;
    s2_attributes_d = s2_attributes_q;
    s2_size_d       = s2_size_q;
    if (s2_ends) begin
      s2_rights_d     = descriptor_q.rights.stage2;
      s2_attributes_d = descriptor_q.attributes;
      s2_size_d       = descriptor_q.size;
    end
  end

  always_comb begin
    pa_d = pa_q;
    if (s2_ends)          pa_d = s2_output;
    else if (s1_descends) pa_d = s1_descriptor_address;
    else if (s1_ends)     pa_d = s1_output;
  end

  // ---- the descriptor in hand -------------------------------------------------------------------

  assign mem_req_valid_o    = state_q == nw_pkg::StIssue;
  assign mem_req_addr_o     = reads_stage2_q ? nw_pkg::descriptor_address(
                                  1'b1, s2_position_q.base, s2_position_q.level,
                                  s2_position_q.index_bits, s2_input_q[39:12]) : pa_q;
  assign mem_req_size_o     = reads_stage2_q || regime_i.long_descriptors;
  assign mem_req_stage2_o   = reads_stage2_q;
  assign mem_req_level_o    = reads_stage2_q ? s2_position_q.level : s1_position_q.level;
  assign mem_req_for_s1_o   = reads_stage2_q && for_descriptor_q;
  assign mem_req_s1_level_o = s1_position_q.level;
  assign mem_rsp_ready_o    = state_q == nw_pkg::StWait;

  always_comb begin
    data_d  = data_q;
    error_d = error_q;
    if (mem_rsp_ready_o && mem_rsp_valid_i) begin
      data_d  = mem_rsp_data_i;
      error_d = mem_rsp_error_i;
    end
  end

  nw_pkg::descriptor_t decoded;
  nw_descriptor u_descriptor (
    .stage2_i    (reads_stage2_q),
    .long_i      (regime_i.long_descriptors),
    .big_endian_i(regime_i.big_endian),
    .level_i     (mem_req_level_o),
    .limits_i    (limits_q),
    .remap_i     (regime_i.remap),
    .mair0_i     (regime_i.mair0),
    .mair1_i     (regime_i.mair1),
    .data_i      (data_q),
    .descriptor_o(decoded)
  );

  always_comb begin
    descriptor_d = descriptor_q;
    if (ipa_cache_lookup_o) begin
      descriptor_d               = '0;
      descriptor_d.kind          = ipa_cache_hit_i ? nw_pkg::KIND_LEAF : nw_pkg::KIND_INVALID;
      descriptor_d.base          = {ipa_cache_data_i.page, 12'h000};
      descriptor_d.size          = ipa_cache_size_i;
      descriptor_d.rights.stage2 = ipa_cache_data_i.rights;
      descriptor_d.attributes    = ipa_cache_data_i.attributes;
    end else if (state_q == nw_pkg::StDecode) begin
      descriptor_d = decoded;
    end
  end

  // ---- verdict ----------------------------------------------------------------------------------

  // The leaf that is judged: just decoded, or out of the IPA cache.
  logic            from_ipa_cache, judges_stage2;
  nw_pkg::rights_t judged_rights;
  logic [7:0]      judged_attr;
  assign from_ipa_cache = state_q == nw_pkg::StIpaCacheUse;
  assign judges_stage2  = from_ipa_cache || reads_stage2_q;
  assign judged_rights  = from_ipa_cache ? descriptor_q.rights : decoded.rights;
  assign judged_attr    = from_ipa_cache ? descriptor_q.attributes.attr : decoded.attributes.attr;

  // Stage 2 sees a descriptor access as a read, whatever is asked of the VA (CheckPermissionS2).
  logic [3:0] stage1_fault;
  nw_permission u_permission (
    .long_i            (regime_i.long_descriptors),
    .access_flag_in_ap_i(regime_i.access_flag_in_ap),
    .wxn_i             (regime_i.wxn),
    .uwxn_i            (regime_i.uwxn),
    .dacr_i            (regime_i.dacr),
    .rights_i          (judged_rights),
    .access_i          (judges_stage2 && for_descriptor_q ? nw_pkg::READ : access_i),
    .privileged_i,
    .stage1_fault_o    (stage1_fault),
    .stage2_allows_o   (stage2_allows)
  );

  // SecondStageTranslate: with HCR.PTW, a stage-1 walk must not touch Device memory.
  assign protected_from_walk = for_descriptor_q && regime_i.protected_walk &&
                               nw_pkg::is_device(judged_attr);

  // The order of B3.12.6: the descriptor is there and valid, its access flag, then who may.
  logic [3:0] verdict;
  always_comb begin
    if (error_q)                                       verdict = nw_pkg::FAULT_EXTERNAL_ABORT;
    else if (decoded.kind == nw_pkg::KIND_INVALID)     verdict = nw_pkg::FAULT_TRANSLATION;
    else if (decoded.kind == nw_pkg::KIND_TABLE)       verdict = nw_pkg::FAULT_NONE;
    else if (decoded.access_flag_clear)                verdict = nw_pkg::FAULT_ACCESS_FLAG;
    else if (!reads_stage2_q)                          verdict = stage1_fault;
    else if (!stage2_allows || protected_from_walk)    verdict = nw_pkg::FAULT_PERMISSION;
    else                                               verdict = nw_pkg::FAULT_NONE;
  end

  // The domain is known once level 1 has been read: from the table above, or from the leaf.
  logic [3:0] s1_domain;
  assign s1_domain = !error_q && decoded.kind == nw_pkg::KIND_LEAF ? decoded.rights.domain
                                                                   : limits_q.domain;

  logic [1:0] s2_leaf_level;
  always_comb begin
    unique case (descriptor_q.size)
      nw_pkg::SIZE_1G: s2_leaf_level = 2'd1;
      nw_pkg::SIZE_2M: s2_leaf_level = 2'd2;
      default:         s2_leaf_level = 2'd3;
    endcase
  end

  // {kind, stage, level, s1walk, domain}
  always_comb begin
    fault_d = fault_q;
    if (state_q == nw_pkg::StIdle) begin
      fault_d = '0;
    end else if (state_q == nw_pkg::StDecode && verdict != nw_pkg::FAULT_NONE) begin
      fault_d = reads_stage2_q
                    ? {verdict, 2'd2, s2_position_q.level, for_descriptor_q, 4'd0}
                    : {verdict, 2'd1, s1_position_q.level, 1'b0, s1_domain};
    end else if (state_q == nw_pkg::StBegin && fails) begin
      fault_d = {nw_pkg::FAULT_TRANSLATION, 2'd1, 2'd1, 1'b0, 4'd0};
    end else if (from_ipa_cache && fails) begin
      fault_d = {nw_pkg::FAULT_PERMISSION, 2'd2, s2_leaf_level, for_descriptor_q, 4'd0};
    end else if (s2_refuses) begin
      fault_d = {nw_pkg::FAULT_TRANSLATION, 2'd2, 2'd1, for_descriptor_d, 4'd0};
    end
  end

  // ---- the caches -------------------------------------------------------------------------------

  assign walk_cache_lookup_o = WalkCache && state_q == nw_pkg::StWalkCacheLookup;
  assign ipa_cache_lookup_o  = IpaCache && state_q == nw_pkg::StIpaCacheLookup;
  assign ipa_cache_key_o     = s2_input_q[39:12];

  // B3.6.4: the other root may own a part of the VA's gigabyte (TTBR1 the top 128 MB, say). A tag
  // cannot tell the two apart: a table for all of it is not kept, and a block only as much as a
  // descriptor of the next level would cover, which no root cuts.
  logic gigabyte_is_cut;
  assign gigabyte_is_cut =
      nw_pkg::stage1_root({va_i[31:30], 5'h00}, regime_i.lower_cut, regime_i.upper_cut) !=
      nw_pkg::stage1_root({va_i[31:30], 5'h1f}, regime_i.lower_cut, regime_i.upper_cut);

  logic [2:0] table_size;  // what the table in hand covers
  always_comb begin
    if (!regime_i.long_descriptors)         table_size = nw_pkg::SIZE_1M;
    else if (s1_position_q.level == 2'd1)   table_size = nw_pkg::SIZE_1G;
    else                                    table_size = nw_pkg::SIZE_2M;
  end

  logic holds_table, holds_leaf, advances;
  assign advances    = state_q == nw_pkg::StAdvance;
  assign holds_table = WalkCache && advances && s1_descends &&
                       !(table_size == nw_pkg::SIZE_1G && gigabyte_is_cut);
  assign holds_leaf  = IpaCache && advances && s2_ends;

  nw_pkg::walk_data_t held_table;
  nw_pkg::ipa_data_t  held_leaf;
  nw_pkg::fill_t      held;
  assign held_table = {s1_position_d.base[39:10], limits_d, s1_position_d.level};
  assign held_leaf  = {descriptor_q.base[39:12], descriptor_q.rights.stage2,
                       descriptor_q.attributes};
  assign held       = holds_leaf
                          ? {1'b1, s2_input_q[39:12], descriptor_q.size, held_leaf}
                          : {1'b0, 8'h00, va_i[31:12], table_size, 1'b0, held_table};

  // Fills wait in the order in which they were held; the first is at the bottom.
  localparam int unsigned FillWidth = nw_pkg::FILL_WIDTH;
  localparam int unsigned FillsWidth = nw_pkg::MOST_FILLS * FillWidth;

  logic [FillsWidth-1:0] fills_q, fills_d;
  logic [2:0]            fill_count_q, fill_count_d;
  always_comb begin
    fills_d      = fills_q;
    fill_count_d = fill_count_q;
    if (state_q == nw_pkg::StBegin) begin
      fill_count_d = 3'd0;
    end else if (holds_table || holds_leaf) begin
      for (int unsigned i = 0; i < nw_pkg::MOST_FILLS; i++) begin
        if (fill_count_q == 3'(i)) fills_d[i*FillWidth +: FillWidth] = held;
      end
      fill_count_d = fill_count_q + 3'd1;
    end else if (state_q == nw_pkg::StFill) begin
      fills_d      = fills_q >> FillWidth;
      fill_count_d = fill_count_q - 3'd1;
    end
  end

  assign fills_left   = fill_count_d != 3'd0;
  assign fill_valid_o = state_q == nw_pkg::StFill && !stale_d;
  assign fill_o       = fills_q[FillWidth-1:0];

  assign stale_d = state_q != nw_pkg::StIdle && (stale_q || maintenance_i);

  // ---- the result -------------------------------------------------------------------------------

  nw_pkg::attributes_t combined;
  nw_attribute_combine u_attribute_combine (
    .s1_i      (s1_attributes_q),
    .s2_i      (s2_attributes_q),
    .combined_o(combined)
  );

  logic [2:0] s2_size;
  logic [2:0] page_size;
  assign s2_size   = regime_i.s2_enabled ? s2_size_q : nw_pkg::SIZE_OFF;
  assign page_size = nw_pkg::smaller_size(s1_size_q, s2_size);

  assign result_o.fault      = fault_q;
  assign result_o.fault_ipa  = fault_q.stage == 2'd2 ? s2_input_q : 40'h0;
  assign result_o.pa         = pa_q;
  assign result_o.rights     = s1_rights_q |
                               {regime_i.s2_enabled ? s2_rights_q : 3'b111, 10'h000};
  assign result_o.attributes = regime_i.s2_enabled ? combined : s1_attributes_q;
  assign result_o.s1_size    = s1_size_q;
  assign result_o.s2_size    = s2_size;
  assign result_o.page_size  = page_size;
  assign result_o.entry_size = page_size == nw_pkg::SIZE_1G && regime_i.s1_enabled &&
                               gigabyte_is_cut ? nw_pkg::SIZE_2M : page_size;
  assign result_o.global     = global_q;

  assign keep_o = done_o && fault_q.kind == nw_pkg::FAULT_NONE && !stale_d;

  logic unused_tags;  // they concern the caches alone
  assign unused_tags = ^{regime_i.asid, regime_i.vmid};

  // ---- registers --------------------------------------------------------------------------------

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= nw_pkg::StIdle;
      stale_q <= 1'b0;
      fault_q <= '0;
    end else begin
      state_q <= state_d;
      stale_q <= stale_d;
      fault_q <= fault_d;
    end
  end

  // All others are written before they are looked at, in every walk.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_position_q    <= '0;
      limits_q         <= '0;
      s1_rights_q      <= '0;
      s1_attributes_q  <= '0;
      s1_size_q        <= '0;
      global_q         <= 1'b0;
      s2_input_q       <= '0;
      for_descriptor_q <= 1'b0;
      s2_position_q    <= '0;
      s2_rights_q      <= '0;
      s2_attributes_q  <= '0;
      s2_size_q        <= '0;
      pa_q             <= '0;
      reads_stage2_q   <= 1'b0;
      data_q           <= '0;
      error_q          <= 1'b0;
      descriptor_q     <= '0;
      fills_q          <= '0;
      fill_count_q     <= '0;
    end else begin
      s1_position_q    <= s1_position_d;
      limits_q         <= limits_d;
      s1_rights_q      <= s1_rights_d;
      s1_attributes_q  <= s1_attributes_d;
      s1_size_q        <= s1_size_d;
      global_q         <= global_d;
      s2_input_q       <= s2_input_d;
      for_descriptor_q <= for_descriptor_d;
      s2_position_q    <= s2_position_d;
      s2_rights_q      <= s2_rights_d;
      s2_attributes_q  <= s2_attributes_d;
      s2_size_q        <= s2_size_d;
      pa_q             <= pa_d;
      reads_stage2_q   <= reads_stage2_d;
      data_q           <= data_d;
      error_q          <= error_d;
      descriptor_q     <= descriptor_d;
      fills_q          <= fills_d;
      fill_count_q     <= fill_count_d;
    end
  end

  // ---- assertions -------------------------------------------------------------------------------

`ifndef SYNTHESIS
  logic        running_q;           // out of reset
  logic        read_waits_q;        // a read was not accepted in the cycle before
  logic [39:0] waiting_addr_q;
  logic        through_stage2_q;    // stage 2 has given the address of the stage-1 descriptor
  logic        maintained_q;        // in this walk, before this cycle

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q        <= 1'b0;
      read_waits_q     <= 1'b0;
      waiting_addr_q   <= '0;
      through_stage2_q <= 1'b0;
      maintained_q     <= 1'b0;
    end else begin
      running_q        <= 1'b1;
      read_waits_q     <= mem_req_valid_o && !mem_req_ready_i;
      waiting_addr_q   <= mem_req_addr_o;
      through_stage2_q <= s2_ends ? for_descriptor_q
                                  : through_stage2_q && !s1_descends && state_q != nw_pkg::StIdle;
      maintained_q     <= state_q != nw_pkg::StIdle && (maintained_q || maintenance_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_walk_starts_when_none_is_going_on: assert (!start_i || state_q == nw_pkg::StIdle);
      the_state_is_one_that_there_is:
          assert (state_q == nw_pkg::StIdle ||
                  (state_q >= nw_pkg::StBegin && state_q <= nw_pkg::StFinish));
      a_read_is_held_until_accepted:
          assert (!read_waits_q || (mem_req_valid_o && mem_req_addr_o == waiting_addr_q));
      a_read_is_aligned:
          assert (!mem_req_valid_o || mem_req_addr_o[1:0] == 2'b00);
      a_long_read_is_aligned:
          assert (!(mem_req_valid_o && mem_req_size_o) || !mem_req_addr_o[2]);
      a_stage1_descriptor_is_read_where_stage2_says:
          assert (!(mem_req_valid_o && !mem_req_stage2_o && regime_i.s2_enabled) ||
                  through_stage2_q);
      stage2_is_read_only_where_it_is_on:
          assert (!(mem_req_valid_o && mem_req_stage2_o) || regime_i.s2_enabled);
      a_cycle_finds_out_one_thing:
          assert ({2'b00, s1_descends} + {2'b00, s1_ends} + {2'b00, s2_starts} +
                  {2'b00, s2_descends} + {2'b00, s2_ends} + {2'b00, fails} <= 3'd1);
      fills_have_room: assert (fill_count_q <= 3'(nw_pkg::MOST_FILLS));
      a_fill_is_one_of_those_held: assert (state_q != nw_pkg::StFill || fill_count_q != 3'd0);
      a_faulting_walk_fills_nothing:
          assert (!fill_valid_o || fault_q.kind == nw_pkg::FAULT_NONE);
      a_faulting_walk_keeps_nothing:
          assert (!keep_o || fault_q.kind == nw_pkg::FAULT_NONE);
      nothing_is_filled_after_maintenance:
          assert (!fill_valid_o || !(maintained_q || maintenance_i));
      nothing_is_kept_after_maintenance: assert (!keep_o || !(maintained_q || maintenance_i));
    end
  end
`endif
`ifdef NW_PROVE_MMU
`include "nw_walker_properties.svh"
`endif

endmodule
