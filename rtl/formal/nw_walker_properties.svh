// SPDX-License-Identifier: Apache-2.0
//
// What is proved of the walker beyond its own assertions; included into nw_walker when the MMU's
// properties are proved. The first part says why a walk ends, the second what makes it inductive.

  // -- a walk ends -------------------------------------------------------------------------------
  // Every read is further on than the one before: ahead of the stage-1 descriptor of each level
  // come the stage-2 ones of its address, after the last the stage-2 ones of the result. Each of
  // these 15 places is visited once at most.
  logic [3:0] place;
  logic [3:0] last_place_q;   // 0: this walk has read nothing yet
  logic [3:0] reads_q;

  assign place = !reads_stage2_q  ? {s1_position_q.level, 2'd0} :
                 for_descriptor_q ? {s1_position_q.level - 2'd1, s2_position_q.level} :
                                    {2'd3, s2_position_q.level};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      last_place_q <= '0;
      reads_q      <= '0;
    end else if (state_q == nw_pkg::StIdle) begin
      last_place_q <= '0;
      reads_q      <= '0;
    end else if (mem_req_valid_o && mem_req_ready_i) begin
      last_place_q <= place;
      reads_q      <= reads_q + 4'd1;
    end
  end

  logic reading, answered, in_ipa_cache, before_reading;

  assign reading        = state_q == nw_pkg::StIssue;
  assign answered       = state_q == nw_pkg::StWait || state_q == nw_pkg::StDecode ||
                          state_q == nw_pkg::StAdvance;
  assign in_ipa_cache   = state_q == nw_pkg::StIpaCacheLookup || state_q == nw_pkg::StIpaCacheUse;
  assign before_reading = state_q == nw_pkg::StBegin ||
                          state_q == nw_pkg::StWalkCacheLookup ||
                          state_q == nw_pkg::StWalkCacheUse;

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_read_is_further_on_than_the_one_before: assert (!reading || place > last_place_q);
      a_walk_reads_no_more_than_it_gets_on: assert (reads_q <= last_place_q);
      an_answer_is_that_of_the_last_read: assert (!answered || place == last_place_q);
      nothing_is_read_before_the_root_is_chosen:
        assert (!before_reading || (last_place_q == 4'd0 && reads_q == 4'd0));
      stage_2_begins_after_the_last_read:
        assert (!in_ipa_cache ||
                last_place_q <= (for_descriptor_q ? {s1_position_q.level - 2'd1, 2'd0} : 4'd12));
    end
  end

  // -- the state ---------------------------------------------------------------------------------
  logic roots_have_levels;

  assign roots_have_levels =
      (regime_i.lower.start.level == 2'd1 || regime_i.lower.start.level == 2'd2) &&
      (regime_i.upper.start.level == 2'd1 || regime_i.upper.start.level == 2'd2) &&
      (regime_i.stage2.start.level == 2'd1 || regime_i.stage2.start.level == 2'd2);

  // What the CAM gives was filled into it: proved of the CAM. A table may have been filled under
  // the other descriptor format, since only maintenance takes it out then.
  logic held_tables_have_levels;
  logic held_pages_have_sizes;

  always_comb begin
    held_tables_have_levels = 1'b1;
    held_pages_have_sizes = 1'b1;
    for (int unsigned i = 0; i < nw_pkg::MOST_FILLS; i++) begin
      if (3'(i) < fill_count_q) begin
        held_tables_have_levels = held_tables_have_levels &&
            (fills_q[(i+1)*FillWidth-1] || fills_q[i*FillWidth+1]);
        held_pages_have_sizes = held_pages_have_sizes &&
            fills_q[i*FillWidth+nw_pkg::IPA_DATA_WIDTH +: 3] <= nw_pkg::SIZE_1G;
      end
    end
  end

  always_comb begin
    assume (!walk_cache_hit_i || walk_cache_data_i.level[1]);
    assume (!ipa_cache_hit_i || ipa_cache_size_i <= nw_pkg::SIZE_1G);
  end

  // A level of stage 1 holds two fills: its descriptor's page and the table that it names.
  logic [2:0] most_fills;

  always_comb begin
    if (for_descriptor_q && (in_ipa_cache || reads_stage2_q)) begin
      most_fills = {s1_position_q.level - 2'd1, 1'b0};
    end else if (in_ipa_cache || reads_stage2_q) begin
      most_fills = 3'd5;
    end else begin
      most_fills = {s1_position_q.level - 2'd1, 1'b1};
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      every_root_has_a_level: assert (state_q == nw_pkg::StIdle || roots_have_levels);
      each_level_holds_two_fills:
        assert (!(reading || answered || in_ipa_cache) || fill_count_q <= most_fills);
      nothing_is_held_before_the_root_is_chosen:
        assert ((state_q != nw_pkg::StWalkCacheLookup && state_q != nw_pkg::StWalkCacheUse) ||
                fill_count_q == 3'd0);
      a_table_held_has_a_level: assert (held_tables_have_levels);
      a_page_held_has_a_size: assert (held_pages_have_sizes);
      a_page_in_hand_has_a_size:
        assert (state_q != nw_pkg::StAdvance || !leaf_in_hand ||
                descriptor_q.size <= nw_pkg::SIZE_1G);
      a_base_is_aligned:
        assert (s1_position_q.base[3:0] == 4'd0 && s2_position_q.base[3:0] == 4'd0 &&
                descriptor_q.base[3:0] == 4'd0);
      the_address_of_a_descriptor_is_aligned:
        assert (!(for_descriptor_q && regime_i.s2_enabled) ||
                !(reading || answered || in_ipa_cache) ||
                (s2_input_q[1:0] == 2'd0 && (!regime_i.long_descriptors || !s2_input_q[2])));
      stage_1_has_a_level_where_it_is_on:
        assert (!(reading || answered || in_ipa_cache || state_q == nw_pkg::StWalkCacheUse) ||
                !regime_i.s1_enabled || s1_position_q.level != 2'd0);
      stage_2_has_a_level_where_it_is_read:
        assert (!((reading || answered) && reads_stage2_q) ||
                (s2_position_q.level != 2'd0 && regime_i.s2_enabled));
      stage_2_has_its_root_where_no_cache_knows:
        assert (!in_ipa_cache || (regime_i.s2_enabled && s2_position_q.level != 2'd0));
      the_walk_cache_is_looked_up_where_stage_1_is_on:
        assert ((state_q != nw_pkg::StWalkCacheLookup && state_q != nw_pkg::StWalkCacheUse) ||
                regime_i.s1_enabled);
      stage_1_is_read_where_it_is_on:
        assert (!(reading || answered || in_ipa_cache) || regime_i.s1_enabled ||
                (!for_descriptor_q && (reads_stage2_q || in_ipa_cache)));
      a_table_is_above_the_last_level:
        assert (state_q != nw_pkg::StAdvance || fault_q.kind != nw_pkg::FAULT_NONE ||
                leaf_in_hand ||
                (reads_stage2_q ? s2_position_q.level != 2'd3 : s1_position_q.level != 2'd3));
      a_result_has_a_size:
        assert ((state_q != nw_pkg::StFill && state_q != nw_pkg::StFinish) ||
                fault_q.kind != nw_pkg::FAULT_NONE || result_o.entry_size <= nw_pkg::SIZE_1G);
      a_page_in_hand_is_aligned: assert (!leaf_in_hand || descriptor_q.base[11:0] == 12'd0);
      a_fault_has_a_stage_and_a_level:
        assert (state_q == nw_pkg::StIdle || fault_q.kind == nw_pkg::FAULT_NONE ||
                ((fault_q.stage == 2'd1 || fault_q.stage == 2'd2) && fault_q.level != 2'd0 &&
                 !(fault_q.s1walk && fault_q.stage == 2'd1)));
      a_walk_that_fills_has_not_faulted:
        assert (state_q != nw_pkg::StFill || fault_q.kind == nw_pkg::FAULT_NONE);
      without_caches_nothing_is_held: assert (WalkCache || IpaCache || fill_count_q == 3'd0);
      maintenance_comes_during_a_walk: cover (maintained_q && done_o);
      maintenance_is_remembered: assert (state_q == nw_pkg::StIdle || stale_q == maintained_q);
    end
  end
