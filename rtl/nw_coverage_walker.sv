// SPDX-License-Identifier: Apache-2.0
//
// Named cover points of the walk: what a verification run has to have seen of levels, page sizes,
// faults, roots, controls, permissions, attributes, caches and fills.
//
// Each condition is the event itself, in the one cycle in which it happens; none is an implication.
// For simulators alone, where NW_COVERAGE is defined. Ports have the names of what they show.

`ifdef NW_COVERAGE

`define NW_COVER(label, event) \
  label: cover property (@(posedge clk_i) event);

// It takes whole structures and looks at some of their fields.
// verilator lint_off UNUSEDSIGNAL
module nw_coverage_walker (
  input logic                 clk_i,
  input logic                 rst_ni,
  input nw_pkg::regime_t      regime_i,
  input logic [1:0]           access_i,
  input logic                 privileged_i,
  input nw_pkg::walk_result_t result_o,
  input logic                 keep_o,
  input nw_pkg::state_e       state_q,
  input logic                 mem_req_valid_o,
  input logic                 mem_req_ready_i,
  input logic                 mem_req_stage2_o,
  input logic [1:0]           mem_req_level_o,
  input logic                 mem_req_for_s1_o,
  input logic [1:0]           mem_req_s1_level_o,
  input logic [1:0]           root,
  input logic                 s1_descends,
  input logic                 s2_enters,
  input logic                 s2_refuses,
  input logic                 for_descriptor_d,  // of the IPA that enters stage 2
  input logic                 for_descriptor_q,  // of the IPA in stage 2
  input logic                 stage2_allows,
  input logic                 protected_from_walk,
  input logic                 reads_stage2_q,
  input logic                 error_q,
  input nw_pkg::descriptor_t  decoded,
  input nw_pkg::descriptor_t  descriptor_q,
  input nw_pkg::limits_t      limits_q,
  input nw_pkg::attributes_t  s1_attributes_q,
  input nw_pkg::attributes_t  s2_attributes_q,
  input logic [4:0]           tex_cb,   // of the descriptor in hand
  input logic [3:0]           memattr,  // likewise
  input logic                 walk_cache_hit_i,
  input nw_pkg::walk_data_t   walk_cache_data_i,
  input logic                 ipa_cache_hit_i,
  input logic [2:0]           ipa_cache_size_i,
  input logic                 holds_table,
  input logic [2:0]           fill_count_q
);

  // ---- what the conditions are made of ----------------------------------------------------------

  nw_pkg::state_e last_state_q;
  logic           refused_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      last_state_q <= nw_pkg::StIdle;
      refused_q    <= 1'b0;
    end else begin
      last_state_q <= state_q;
      refused_q    <= s2_refuses;
    end
  end

  logic in_begin, in_decode, in_advance, in_finish;
  assign in_begin   = state_q == nw_pkg::StBegin;
  assign in_decode  = state_q == nw_pkg::StDecode;
  assign in_advance = state_q == nw_pkg::StAdvance;
  assign in_finish  = state_q == nw_pkg::StFinish;

  logic off, short, long;  // stage 1
  assign off   = !regime_i.s1_enabled;
  assign short = regime_i.s1_enabled && !regime_i.long_descriptors;
  assign long  = regime_i.s1_enabled && regime_i.long_descriptors;

  logic reads, succeeds, faults, after_descriptor;
  assign reads            = mem_req_valid_o && mem_req_ready_i;
  assign succeeds         = in_finish && result_o.fault.kind == nw_pkg::FAULT_NONE;
  assign faults           = in_finish && result_o.fault.kind != nw_pkg::FAULT_NONE;
  assign after_descriptor = last_state_q == nw_pkg::StAdvance && !refused_q;

  // Function calls stay out of the cover points, since Verilator 5.006 gets them wrong there.
  logic device, s1_device, s2_device;
  assign device    = nw_pkg::is_device(decoded.attributes.attr);
  assign s1_device = nw_pkg::is_device(s1_attributes_q.attr);
  assign s2_device = nw_pkg::is_device(s2_attributes_q.attr);

  logic is_leaf;
  assign is_leaf = !error_q && decoded.kind == nw_pkg::KIND_LEAF && !decoded.access_flag_clear;

  // ---- descriptor reads: each level of each stage and format ------------------------------------

`define NW_STAGE1_READ(FORMAT, LEVEL) \
  `NW_COVER(a_``FORMAT``_stage1_walk_reads_level_``LEVEL, \
            reads && !mem_req_stage2_o && FORMAT && mem_req_level_o == 2'd``LEVEL)
`define NW_STAGE2_READ(FORMAT, LEVEL) \
  `NW_COVER(stage2_reads_level_``LEVEL``_for_the_page_with_stage1_``FORMAT, \
            reads && mem_req_stage2_o && !mem_req_for_s1_o && FORMAT && \
            mem_req_level_o == 2'd``LEVEL)
`define NW_DESCRIPTOR_READ(FORMAT, LEVEL, OF) \
  `NW_COVER(stage2_reads_level_``LEVEL``_for_a_``FORMAT``_descriptor_of_level_``OF, \
            reads && mem_req_for_s1_o && FORMAT && mem_req_level_o == 2'd``LEVEL && \
            mem_req_s1_level_o == 2'd``OF)
`define NW_STAGE2_LEVELS(FAMILY, FORMAT) \
  `FAMILY(FORMAT, 1) \
  `FAMILY(FORMAT, 2) \
  `FAMILY(FORMAT, 3)
`define NW_DESCRIPTOR_LEVELS(FORMAT, OF) \
  `NW_DESCRIPTOR_READ(FORMAT, 1, OF) \
  `NW_DESCRIPTOR_READ(FORMAT, 2, OF) \
  `NW_DESCRIPTOR_READ(FORMAT, 3, OF)

  `NW_STAGE1_READ(short, 1)
  `NW_STAGE1_READ(short, 2)
  `NW_STAGE1_READ(long, 1)
  `NW_STAGE1_READ(long, 2)
  `NW_STAGE1_READ(long, 3)
  `NW_STAGE2_LEVELS(NW_STAGE2_READ, off)
  `NW_STAGE2_LEVELS(NW_STAGE2_READ, short)
  `NW_STAGE2_LEVELS(NW_STAGE2_READ, long)
  `NW_DESCRIPTOR_LEVELS(short, 1)
  `NW_DESCRIPTOR_LEVELS(short, 2)
  `NW_DESCRIPTOR_LEVELS(long, 1)
  `NW_DESCRIPTOR_LEVELS(long, 2)
  `NW_DESCRIPTOR_LEVELS(long, 3)

  // ---- page sizes: each pair --------------------------------------------------------------------

`define NW_PAIR(FORMAT, s1_, S1, s2_, S2) \
  `NW_COVER(a_``FORMAT``_stage1_page_of_``s1_``_over_stage2_``s2_, \
            succeeds && FORMAT && result_o.s1_size == nw_pkg::SIZE_``S1 && \
            result_o.s2_size == nw_pkg::SIZE_``S2)
`define NW_PAIRS(FORMAT, s1_, S1) \
  `NW_PAIR(FORMAT, s1_, S1, off, OFF) \
  `NW_PAIR(FORMAT, s1_, S1, 4k, 4K) \
  `NW_PAIR(FORMAT, s1_, S1, 2m, 2M) \
  `NW_PAIR(FORMAT, s1_, S1, 1g, 1G)
`define NW_OFF_OVER(s2_, S2) \
  `NW_COVER(stage1_is_off_over_a_stage2_page_of_``s2_, \
            succeeds && off && result_o.s2_size == nw_pkg::SIZE_``S2)

  `NW_PAIRS(short, 4k, 4K)
  `NW_PAIRS(short, 64k, 64K)
  `NW_PAIRS(short, 1m, 1M)
  `NW_PAIRS(short, 16m, 16M)
  `NW_PAIRS(long, 4k, 4K)
  `NW_PAIRS(long, 2m, 2M)
  `NW_PAIRS(long, 1g, 1G)
  `NW_OFF_OVER(4k, 4K)
  `NW_OFF_OVER(2m, 2M)
  `NW_OFF_OVER(1g, 1G)

  // ---- faults: each type at each stage and level ------------------------------------------------

`define NW_STAGE1_FAULT(FORMAT, type_, TYPE, LEVEL) \
  `NW_COVER(a_``FORMAT``_stage1_``type_``_fault_at_level_``LEVEL, \
            faults && after_descriptor && FORMAT && result_o.fault.stage == 2'd1 && \
            result_o.fault.kind == nw_pkg::FAULT_``TYPE && result_o.fault.level == 2'd``LEVEL)
`define NW_STAGE1_FAULTS(FORMAT, LEVEL) \
  `NW_STAGE1_FAULT(FORMAT, translation, TRANSLATION, LEVEL) \
  `NW_STAGE1_FAULT(FORMAT, access_flag, ACCESS_FLAG, LEVEL) \
  `NW_STAGE1_FAULT(FORMAT, permission, PERMISSION, LEVEL) \
  `NW_STAGE1_FAULT(FORMAT, external_abort, EXTERNAL_ABORT, LEVEL)
`define NW_STAGE2_FAULT(type_, TYPE, LEVEL) \
  `NW_COVER(a_stage2_``type_``_fault_at_level_``LEVEL``_for_the_page, \
            faults && after_descriptor && result_o.fault.stage == 2'd2 && \
            !result_o.fault.s1walk && result_o.fault.kind == nw_pkg::FAULT_``TYPE && \
            result_o.fault.level == 2'd``LEVEL) \
  `NW_COVER(a_stage2_``type_``_fault_at_level_``LEVEL``_for_a_descriptor, \
            faults && after_descriptor && result_o.fault.stage == 2'd2 && \
            result_o.fault.s1walk && result_o.fault.kind == nw_pkg::FAULT_``TYPE && \
            result_o.fault.level == 2'd``LEVEL)
`define NW_STAGE2_FAULTS(LEVEL) \
  `NW_STAGE2_FAULT(translation, TRANSLATION, LEVEL) \
  `NW_STAGE2_FAULT(access_flag, ACCESS_FLAG, LEVEL) \
  `NW_STAGE2_FAULT(permission, PERMISSION, LEVEL) \
  `NW_STAGE2_FAULT(external_abort, EXTERNAL_ABORT, LEVEL)
`define NW_PROTECTED_WALK(LEVEL) \
  `NW_COVER(ptw_denies_a_descriptor_in_device_memory_at_level_``LEVEL, \
            in_decode && reads_stage2_q && is_leaf && stage2_allows && protected_from_walk && \
            mem_req_level_o == 2'd``LEVEL)

  `NW_STAGE1_FAULTS(short, 1)
  `NW_STAGE1_FAULTS(short, 2)
  `NW_STAGE1_FAULT(short, domain, DOMAIN, 1)
  `NW_STAGE1_FAULT(short, domain, DOMAIN, 2)
  `NW_STAGE1_FAULTS(long, 1)
  `NW_STAGE1_FAULTS(long, 2)
  `NW_STAGE1_FAULTS(long, 3)
  `NW_STAGE2_FAULTS(1)
  `NW_STAGE2_FAULTS(2)
  `NW_STAGE2_FAULTS(3)
  `NW_PROTECTED_WALK(1)
  `NW_PROTECTED_WALK(2)
  `NW_PROTECTED_WALK(3)
  `NW_COVER(ptw_denies_a_descriptor_that_the_ipa_cache_knows,
            faults && last_state_q == nw_pkg::StIpaCacheUse)
  `NW_COVER(ptw_lets_the_page_itself_be_device_memory,
            in_decode && reads_stage2_q && is_leaf && regime_i.protected_walk &&
            !for_descriptor_q && device)
  `NW_COVER(a_page_may_be_executed_in_stage1_and_not_in_stage2,
            in_decode && reads_stage2_q && is_leaf && !for_descriptor_q &&
            access_i == nw_pkg::EXECUTE && decoded.rights.stage2[0] && !stage2_allows)
  `NW_COVER(a_write_is_denied_by_stage2_alone,
            in_decode && reads_stage2_q && is_leaf && !for_descriptor_q &&
            access_i == nw_pkg::WRITE && decoded.rights.stage2[0] && !stage2_allows)
  `NW_COVER(a_descriptor_of_a_write_is_read_through_a_read_only_page,
            in_decode && reads_stage2_q && is_leaf && for_descriptor_q &&
            access_i == nw_pkg::WRITE && decoded.rights.stage2[1:0] == 2'b01)

  // ---- roots ------------------------------------------------------------------------------------

  logic lower, upper;
  assign lower = in_begin && root == nw_pkg::ROOT_LOWER;
  assign upper = in_begin && root == nw_pkg::ROOT_UPPER;

  `NW_COVER(short_ttbr0_covers_everything,
            short && lower && regime_i.lower_cut == 3'd0)
  `NW_COVER(short_ttbr0_covers_the_lower_part,
            short && lower && regime_i.lower_cut != 3'd0)
  `NW_COVER(short_ttbr1_covers_the_rest, short && upper)
  `NW_COVER(pd0_refuses_a_walk, short && lower && regime_i.lower.disabled)
  `NW_COVER(pd1_refuses_a_walk, short && upper && regime_i.upper.disabled)
  `NW_COVER(long_ttbr0_covers_everything, long && lower && regime_i.lower_cut == 3'd0)
  `NW_COVER(long_ttbr0_is_sized_and_starts_at_level_1,
            long && lower && regime_i.lower_cut == 3'd1)
  `NW_COVER(long_ttbr0_is_sized_and_starts_at_level_2,
            long && lower && regime_i.lower.start.level == 2'd2)
  `NW_COVER(long_ttbr1_covers_what_ttbr0_leaves,
            long && upper && regime_i.upper_cut == 3'd0)
  `NW_COVER(long_ttbr1_is_sized_and_starts_at_level_1,
            long && upper && regime_i.upper_cut == 3'd1)
  `NW_COVER(long_ttbr1_is_sized_and_starts_at_level_2,
            long && upper && regime_i.upper.start.level == 2'd2)
  `NW_COVER(no_root_covers_an_address, in_begin && long && root == nw_pkg::ROOT_NONE)
  `NW_COVER(epd0_refuses_a_walk, long && lower && regime_i.lower.disabled)
  `NW_COVER(epd1_refuses_a_walk, long && upper && regime_i.upper.disabled)

  logic enters_range, from_level_1;
  assign enters_range = s2_enters && !s2_refuses;
  assign from_level_1 = regime_i.stage2.start.level == 2'd1;
  `NW_COVER(stage2_starts_at_level_1, enters_range && from_level_1)
  `NW_COVER(stage2_starts_at_level_1_with_concatenated_tables,
            enters_range && from_level_1 && regime_i.stage2.start.index_bits > 4'd9)
  `NW_COVER(stage2_starts_at_level_2, enters_range && !from_level_1)
  `NW_COVER(stage2_starts_at_level_2_with_concatenated_tables,
            enters_range && !from_level_1 && regime_i.stage2.start.index_bits > 4'd9)
  `NW_COVER(stage2_starts_at_level_2_with_less_than_a_table,
            enters_range && !from_level_1 && regime_i.stage2.start.index_bits < 4'd9)
  `NW_COVER(the_page_is_out_of_the_range_of_stage2,
            s2_refuses && !regime_i.stage2.disabled && !for_descriptor_d)
  `NW_COVER(a_descriptor_is_out_of_the_range_of_stage2,
            s2_refuses && !regime_i.stage2.disabled && for_descriptor_d)
  `NW_COVER(the_table_of_a_table_is_out_of_the_range_of_stage2,
            s2_refuses && in_advance && for_descriptor_d)

  `NW_COVER(a_table_that_the_other_root_cuts_is_not_kept, in_advance && s1_descends && !holds_table)
  `NW_COVER(a_block_that_the_other_root_cuts_is_kept_in_part,
            keep_o && result_o.entry_size != result_o.page_size)
  `NW_COVER(a_whole_gigabyte_is_kept, keep_o && result_o.entry_size == nw_pkg::SIZE_1G)

  // ---- controls ---------------------------------------------------------------------------------

  `NW_COVER(a_short_descriptor_is_big_endian,
            in_decode && !reads_stage2_q && short && regime_i.big_endian)
  `NW_COVER(a_long_descriptor_is_big_endian,
            in_decode && !reads_stage2_q && long && regime_i.big_endian)
  `NW_COVER(a_stage2_descriptor_stays_little_endian,
            in_decode && reads_stage2_q && regime_i.big_endian)
  `NW_COVER(dc_switches_stage1_off, succeeds && off && regime_i.default_cacheable)

  // ---- who may ----------------------------------------------------------------------------------

  // A stage-1 leaf is judged: by which rule?
  logic            judged, checked, fetch, user_writes, privileged_writes;
  logic [1:0]      domain_access;
  nw_pkg::rights_t r;
  assign r                 = decoded.rights;
  assign judged            = in_decode && !reads_stage2_q && is_leaf &&
                             !(regime_i.access_flag_in_ap && !r.ap[0]);
  assign domain_access     = 2'(regime_i.dacr >> {r.domain, 1'b0});
  assign checked           = judged && (long || domain_access == 2'b01);
  assign fetch             = checked && access_i == nw_pkg::EXECUTE;
  assign user_writes       = r.ap == 3'b011;
  assign privileged_writes = r.ap[1:0] != 2'b00 && !r.ap[2];

  `NW_COVER(a_manager_domain_is_not_checked, judged && short && domain_access == 2'b11)
  `NW_COVER(a_manager_domain_ignores_xn, judged && short && domain_access == 2'b11 &&
            access_i == nw_pkg::EXECUTE && r.xn)
  `NW_COVER(a_manager_domain_ignores_ap, judged && short && domain_access == 2'b11 &&
            r.ap[1:0] == 2'b00)
  `NW_COVER(a_domain_without_access_denies, judged && short && domain_access == 2'b00)
  `NW_COVER(a_reserved_domain_field_denies, judged && short && domain_access == 2'b10)
  `NW_COVER(a_supersection_is_of_domain_0_whatever_its_bits_say,
            judged && short && decoded.size == nw_pkg::SIZE_16M && decoded.base[39:36] != 4'h0)
  `NW_COVER(afe_makes_ap0_an_access_flag_that_is_set,
            judged && regime_i.access_flag_in_ap)
  `NW_COVER(afe_comes_before_a_manager_domain,
            in_decode && !reads_stage2_q && is_leaf && regime_i.access_flag_in_ap &&
            !r.ap[0] && domain_access == 2'b11)
  `NW_COVER(xn_denies_a_user_fetch, fetch && !privileged_i && r.ap[1] && r.xn)
  `NW_COVER(xn_denies_a_privileged_fetch, fetch && privileged_i && r.ap[1:0] != 2'b00 && r.xn)
  `NW_COVER(pxn_denies_a_privileged_fetch,
            fetch && privileged_i && r.ap[1:0] != 2'b00 && !r.xn && r.pxn)
  `NW_COVER(pxn_lets_a_user_fetch_pass, fetch && !privileged_i && r.ap[1] && !r.xn && r.pxn &&
            !regime_i.wxn)
  `NW_COVER(wxn_denies_a_user_fetch,
            fetch && !privileged_i && user_writes && !r.xn && regime_i.wxn)
  `NW_COVER(wxn_denies_a_privileged_fetch,
            fetch && privileged_i && privileged_writes && !r.xn && !r.pxn && regime_i.wxn &&
            !(regime_i.uwxn && user_writes))
  `NW_COVER(uwxn_denies_a_privileged_fetch,
            fetch && privileged_i && user_writes && !r.xn && !r.pxn && regime_i.uwxn &&
            !regime_i.wxn)
  `NW_COVER(uwxn_lets_a_user_fetch_pass,
            fetch && !privileged_i && user_writes && !r.xn && regime_i.uwxn &&
            !regime_i.wxn)
  `NW_COVER(a_fetch_needs_the_right_to_read, fetch && !privileged_i && !r.ap[1] && !r.xn)
  `NW_COVER(a_user_read_is_denied,
            checked && !privileged_i && access_i == nw_pkg::READ && !r.ap[1])
  `NW_COVER(a_user_write_is_denied_to_a_page_it_may_read,
            checked && !privileged_i && access_i == nw_pkg::WRITE && r.ap[1] && !user_writes)
  `NW_COVER(a_privileged_read_is_denied,
            checked && privileged_i && access_i == nw_pkg::READ && r.ap[1:0] == 2'b00)
  `NW_COVER(a_privileged_write_is_denied_to_a_page_it_may_read,
            checked && privileged_i && access_i == nw_pkg::WRITE && r.ap[1:0] != 2'b00 && r.ap[2])
  `NW_COVER(a_table_denies_a_user, judged && long && limits_q.no_user && !privileged_i)
  `NW_COVER(a_table_denies_a_write,
            judged && long && limits_q.read_only && access_i == nw_pkg::WRITE)
  `NW_COVER(a_table_denies_a_fetch,
            judged && long && limits_q.xn && access_i == nw_pkg::EXECUTE)
  `NW_COVER(a_table_denies_a_privileged_fetch,
            judged && long && limits_q.pxn && !limits_q.xn && access_i == nw_pkg::EXECUTE &&
            privileged_i)
  `NW_COVER(a_short_table_denies_a_privileged_fetch,
            judged && short && limits_q.pxn && access_i == nw_pkg::EXECUTE && privileged_i)

`define NW_ACCESS(access_, ACCESS) \
  `NW_COVER(a_user_``access_``_is_translated, \
            succeeds && !off && !privileged_i && access_i == nw_pkg::ACCESS) \
  `NW_COVER(a_privileged_``access_``_is_translated, \
            succeeds && !off && privileged_i && access_i == nw_pkg::ACCESS)
  `NW_ACCESS(read, READ)
  `NW_ACCESS(write, WRITE)
  `NW_ACCESS(execute, EXECUTE)

  // ---- memory attributes ------------------------------------------------------------------------

  logic plain, remapped, both, mair;
  logic [1:0] remap_type;
  assign plain      = in_decode && !reads_stage2_q && is_leaf && short && !regime_i.remap;
  assign remapped   = in_decode && !reads_stage2_q && is_leaf && short && regime_i.remap;
  assign mair       = in_decode && !reads_stage2_q && is_leaf && long;
  assign remap_type = 2'(regime_i.mair0 >> {tex_cb[2:0], 1'b0});
  assign both       = succeeds && regime_i.s2_enabled;

  `NW_COVER(tex_is_strongly_ordered, plain && tex_cb == 5'b00000)
  `NW_COVER(tex_is_shareable_device, plain && tex_cb == 5'b00001)
  `NW_COVER(tex_is_write_through, plain && tex_cb == 5'b00010)
  `NW_COVER(tex_is_write_back_without_allocate, plain && tex_cb == 5'b00011)
  `NW_COVER(tex_is_non_cacheable, plain && tex_cb == 5'b00100)
  `NW_COVER(tex_is_write_back_with_allocate, plain && tex_cb == 5'b00111)
  `NW_COVER(tex_is_non_shareable_device, plain && tex_cb == 5'b01000)
  `NW_COVER(tex_is_reserved, plain && (tex_cb == 5'b00101 || tex_cb == 5'b00110))
  `NW_COVER(tex_gives_inner_and_outer_apart,
            plain && tex_cb[4] && tex_cb[3:2] != tex_cb[1:0])
  `NW_COVER(tre_remaps_to_strongly_ordered, remapped && remap_type == 2'd0)
  `NW_COVER(tre_remaps_to_device, remapped && remap_type == 2'd1)
  `NW_COVER(tre_remaps_to_normal, remapped && remap_type == 2'd2)
  `NW_COVER(tre_remaps_to_a_reserved_type, remapped && remap_type == 2'd3)
  `NW_COVER(tre_makes_a_page_inner_shareable,
            remapped && decoded.attributes.sh == nw_pkg::INNER_SHAREABLE)
  `NW_COVER(mair_gives_device, mair && device)
  `NW_COVER(mair_gives_normal, mair && !device)
  `NW_COVER(memattr_is_strongly_ordered,
            in_decode && reads_stage2_q && is_leaf && memattr == 4'b0000)
  `NW_COVER(memattr_is_device, in_decode && reads_stage2_q && is_leaf && memattr == 4'b0001)
  `NW_COVER(memattr_is_unpredictable,
            in_decode && reads_stage2_q && is_leaf && memattr[3:1] == 3'b001)
  `NW_COVER(memattr_is_normal_with_a_reserved_inner,
            in_decode && reads_stage2_q && is_leaf && memattr[3:2] != 2'b00 &&
            memattr[1:0] == 2'b00)
  `NW_COVER(both_stages_say_device, both && s1_device &&
            s2_device)
  `NW_COVER(strongly_ordered_beats_device,
            both && s1_attributes_q.attr == nw_pkg::DEVICE &&
            s2_attributes_q.attr == nw_pkg::STRONGLY_ORDERED)
  `NW_COVER(stage1_alone_says_device, both && s1_device &&
            !s2_device)
  `NW_COVER(stage2_alone_says_device, both && !s1_device &&
            s2_device)
  `NW_COVER(stage2_weakens_write_back_to_write_through,
            both && s1_attributes_q.attr[7:6] == 2'b11 && s2_attributes_q.attr[7:6] == 2'b10)
  `NW_COVER(stage2_weakens_write_back_to_non_cacheable,
            both && s1_attributes_q.attr[7:6] == 2'b11 && s2_attributes_q.attr[7:4] == 4'h4)
  `NW_COVER(stage2_widens_shareability,
            both && result_o.attributes.sh == nw_pkg::INNER_SHAREABLE &&
            s1_attributes_q.sh == nw_pkg::NON_SHAREABLE)

  // ---- caches and fills -------------------------------------------------------------------------

  `NW_COVER(the_walk_cache_knows_a_short_table,
            walk_cache_hit_i && short && walk_cache_data_i.level == 2'd2)
  `NW_COVER(the_walk_cache_knows_a_long_level_2_table,
            walk_cache_hit_i && long && walk_cache_data_i.level == 2'd2)
  `NW_COVER(the_walk_cache_knows_a_long_level_3_table,
            walk_cache_hit_i && long && walk_cache_data_i.level == 2'd3)

`define NW_IPA_HIT(size_, SIZE) \
  `NW_COVER(the_ipa_cache_knows_a_page_of_``size_``_for_a_descriptor, \
            ipa_cache_hit_i && ipa_cache_size_i == nw_pkg::SIZE_``SIZE && \
            for_descriptor_q) \
  `NW_COVER(the_ipa_cache_knows_a_page_of_``size_``_for_the_page, \
            ipa_cache_hit_i && ipa_cache_size_i == nw_pkg::SIZE_``SIZE && \
            !for_descriptor_q)
`define NW_FILLS(COUNT) \
  `NW_COVER(a_walk_holds_``COUNT``_fills, \
            state_q == nw_pkg::StFill && last_state_q != nw_pkg::StFill && \
            fill_count_q == 3'd``COUNT)
  `NW_IPA_HIT(4k, 4K)
  `NW_IPA_HIT(2m, 2M)
  `NW_IPA_HIT(1g, 1G)
  `NW_COVER(the_ipa_cache_denies_and_the_walk_is_made_again,
            state_q == nw_pkg::StIpaCacheUse && descriptor_q.kind == nw_pkg::KIND_LEAF &&
            !stage2_allows)
  `NW_FILLS(1)
  `NW_FILLS(2)
  `NW_FILLS(3)
  `NW_FILLS(4)
  `NW_FILLS(5)
  `NW_FILLS(6)
  `NW_COVER(a_walk_with_nothing_to_fill_ends_well, succeeds && last_state_q != nw_pkg::StFill)
  `NW_COVER(a_fault_drops_the_fills_held, faults && fill_count_q != 3'd0)

endmodule
// verilator lint_on UNUSEDSIGNAL

bind nw_walker nw_coverage_walker u_coverage (
  .tex_cb (u_descriptor.tex_cb),
  .memattr(u_descriptor.d[5:2]),
  .*
);

`undef NW_COVER
`undef NW_STAGE1_READ
`undef NW_STAGE2_READ
`undef NW_DESCRIPTOR_READ
`undef NW_STAGE2_LEVELS
`undef NW_DESCRIPTOR_LEVELS
`undef NW_PAIR
`undef NW_PAIRS
`undef NW_OFF_OVER
`undef NW_STAGE1_FAULT
`undef NW_STAGE1_FAULTS
`undef NW_STAGE2_FAULT
`undef NW_STAGE2_FAULTS
`undef NW_PROTECTED_WALK
`undef NW_ACCESS
`undef NW_IPA_HIT
`undef NW_FILLS

`endif
