// SPDX-License-Identifier: Apache-2.0
//
// What is proved of the MMU, at its ports: nw_mmu with inputs that are arbitrary but for what its
// users owe it. These are the assumptions: what is offered at a port stays as it is until it is
// accepted, and there is no access 3. Memory, the other side of each port, and the moment of each
// register write and of maintenance are free.

module nw_mmu_formal #(
  parameter int unsigned L1dEntries       = 1,
  parameter int unsigned L1iEntries       = 1,
  parameter int unsigned L2Entries        = 0,
  parameter int unsigned WalkCacheEntries = 0,
  parameter int unsigned IpaCacheEntries  = 0
) (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        ctrl_valid_i,
  input logic        ctrl_maintenance_i,
  input logic [3:0]  ctrl_select_i,
  input logic [63:0] ctrl_data_i,
  input logic        req_valid_i,
  input logic [31:0] req_va_i,
  input logic [1:0]  req_access_i,
  input logic        req_privileged_i,
  input logic        req_tag_i,
  input logic        rsp_ready_i,
  input logic        mem_req_ready_i,
  input logic        mem_rsp_valid_i,
  input logic [63:0] mem_rsp_data_i,
  input logic        mem_rsp_error_i
);

  logic        ctrl_ready_o;
  logic        req_ready_o;
  logic        rsp_valid_o;
  logic        rsp_tag_o;
  logic [39:0] rsp_pa_o;
  logic [19:0] rsp_rights_o;
  logic [4:0]  rsp_page_log2_o;
  logic [4:0]  rsp_s1_page_log2_o;
  logic [4:0]  rsp_s2_page_log2_o;
  logic [7:0]  rsp_attr_o;
  logic [1:0]  rsp_sh_o;
  logic [1:0]  rsp_source_o;
  logic [3:0]  rsp_fault_o;
  logic [1:0]  rsp_stage_o;
  logic [1:0]  rsp_level_o;
  logic        rsp_s1walk_o;
  logic [3:0]  rsp_domain_o;
  logic [39:0] rsp_ipa_o;
  logic        mem_req_valid_o;
  logic [39:0] mem_req_addr_o;
  logic        mem_req_size_o;
  logic        mem_req_stage2_o;
  logic [1:0]  mem_req_level_o;
  logic        mem_req_for_s1_o;
  logic [1:0]  mem_req_s1_level_o;
  logic        mem_rsp_ready_o;
  logic [4:0]  obs_lookup_o;
  logic [4:0]  obs_hit_o;
  logic [4:0]  obs_install_o;
  logic [4:0]  obs_evict_o;
  logic [7:0]  obs_way_l1d_o;
  logic [7:0]  obs_way_l1i_o;
  logic [7:0]  obs_way_l2_o;
  logic [7:0]  obs_way_walk_cache_o;
  logic [7:0]  obs_way_ipa_cache_o;
  logic        obs_finish_o;
  logic [3:0]  obs_state_o;

  nw_mmu #(
    .L1dEntries       (L1dEntries),
    .L1iEntries       (L1iEntries),
    .L2Entries        (L2Entries),
    .WalkCacheEntries (WalkCacheEntries),
    .IpaCacheEntries  (IpaCacheEntries),
    .TagWidth         (1)
  ) u_mmu (
    .clk_i,
    .rst_ni,
    .ctrl_valid_i,
    .ctrl_ready_o,
    .ctrl_maintenance_i,
    .ctrl_select_i,
    .ctrl_data_i,
    .req_valid_i,
    .req_ready_o,
    .req_va_i,
    .req_access_i,
    .req_privileged_i,
    .req_tag_i,
    .rsp_valid_o,
    .rsp_ready_i,
    .rsp_tag_o,
    .rsp_pa_o,
    .rsp_rights_o,
    .rsp_page_log2_o,
    .rsp_s1_page_log2_o,
    .rsp_s2_page_log2_o,
    .rsp_attr_o,
    .rsp_sh_o,
    .rsp_source_o,
    .rsp_fault_o,
    .rsp_stage_o,
    .rsp_level_o,
    .rsp_s1walk_o,
    .rsp_domain_o,
    .rsp_ipa_o,
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
    .obs_lookup_o,
    .obs_hit_o,
    .obs_install_o,
    .obs_evict_o,
    .obs_way_l1d_o,
    .obs_way_l1i_o,
    .obs_way_l2_o,
    .obs_way_walk_cache_o,
    .obs_way_ipa_cache_o,
    .obs_finish_o,
    .obs_state_o
  );

  // -- what the users owe ------------------------------------------------------------------------
  logic running_q;   // out of reset, with a cycle before

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q <= 1'b0;
    end else begin
      running_q <= 1'b1;
    end
  end

  logic [68:0] control;
  logic [35:0] request;
  logic [64:0] answer;

  assign control = {ctrl_maintenance_i, ctrl_select_i, ctrl_data_i};
  assign request = {req_tag_i, req_privileged_i, req_access_i, req_va_i};
  assign answer  = {mem_rsp_error_i, mem_rsp_data_i};

  always_comb begin
    assume (rst_ni == !$initstate);
    assume (req_access_i != 2'd3);
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      if ($past(ctrl_valid_i && !ctrl_ready_o)) begin
        assume (ctrl_valid_i && control == $past(control));
      end
      if ($past(req_valid_i && !req_ready_o)) begin
        assume (req_valid_i && request == $past(request));
      end
      if ($past(mem_rsp_valid_i && !mem_rsp_ready_o)) begin
        assume (mem_rsp_valid_i && answer == $past(answer));
      end
    end
  end

  // -- responses ---------------------------------------------------------------------------------
  logic [86:0] success;    // fields that mean nothing with a fault
  logic [48:0] fault;      // and without one
  logic        owed_q;     // a request's response has not been accepted yet
  logic        owed_tag_q;

  assign success = {rsp_pa_o, rsp_rights_o, rsp_page_log2_o, rsp_s1_page_log2_o,
                    rsp_s2_page_log2_o, rsp_attr_o[7:0], rsp_sh_o, rsp_source_o};
  assign fault   = {rsp_stage_o, rsp_level_o, rsp_s1walk_o, rsp_domain_o, rsp_ipa_o};

  logic accepts, responds, is_fault;

  assign accepts  = req_valid_i && req_ready_o;
  assign responds = rsp_valid_o && rsp_ready_i;
  assign is_fault = rsp_fault_o != nw_pkg::FAULT_NONE;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q     <= 1'b0;
      owed_tag_q <= 1'b0;
    end else begin
      owed_q     <= accepts || (owed_q && !responds);
      owed_tag_q <= accepts ? req_tag_i : owed_tag_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      if ($past(rsp_valid_o && !rsp_ready_i)) begin
        a_response_stays_until_accepted:
          assert (rsp_valid_o && rsp_tag_o == $past(rsp_tag_o) && success == $past(success) &&
                  rsp_fault_o == $past(rsp_fault_o) && fault == $past(fault));
      end
      if (rsp_valid_o) begin
        a_response_is_owed: assert (owed_q);
        a_response_has_the_tag_of_its_request: assert (rsp_tag_o == owed_tag_q);
        fields_of_the_other_half_are_0: assert (is_fault ? success == '0 : fault == '0);
        a_fault_has_a_stage_and_a_level:
          assert (!is_fault || ((rsp_stage_o == 2'd1 || rsp_stage_o == 2'd2) &&
                                rsp_level_o != 2'd0));
        only_stage_2_faults_on_a_descriptor_access: assert (!rsp_s1walk_o || rsp_stage_o == 2'd2);
      end
      a_request_waits_for_the_response_before:
        assert (!accepts || !owed_q || responds);
      no_request_is_forgotten:
        assert (!owed_q || rsp_valid_o || obs_state_o != nw_pkg::StIdle);
      nothing_goes_on_without_a_request:
        assert (obs_state_o == nw_pkg::StIdle || (owed_q && !rsp_valid_o));
    end
  end

  // -- descriptor reads --------------------------------------------------------------------------
  logic [46:0] read;

  assign read = {mem_req_size_o, mem_req_stage2_o, mem_req_level_o, mem_req_for_s1_o,
                 mem_req_s1_level_o, mem_req_addr_o};

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      if ($past(mem_req_valid_o && !mem_req_ready_i)) begin
        a_read_stays_until_accepted: assert (mem_req_valid_o && read == $past(read));
      end
      a_read_has_a_level:
        assert (!mem_req_valid_o ||
                (mem_req_level_o != 2'd0 && (!mem_req_for_s1_o || mem_req_s1_level_o != 2'd0)));
      one_read_at_a_time: assert (!(mem_req_valid_o && mem_rsp_ready_o));
    end
  end

  // -- states ------------------------------------------------------------------------------------
  // The walker stays only where it waits for somebody else, and where it fills: once for each fill
  // that it holds.
  logic [2:0] filling_q;    // cycles in a row

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      filling_q <= '0;
    end else begin
      filling_q <= obs_state_o == nw_pkg::StFill ? filling_q + 3'd1 : 3'd0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_state_is_left_unless_it_waits:
        assert (obs_state_o != $past(obs_state_o) || obs_state_o == nw_pkg::StIdle ||
                (obs_state_o == nw_pkg::StIssue && !$past(mem_req_ready_i)) ||
                (obs_state_o == nw_pkg::StWait && !$past(mem_rsp_valid_i)) ||
                obs_state_o == nw_pkg::StFill);
      control_waits_for_lookups_alone:
        assert (ctrl_ready_o ==
                (obs_state_o != nw_pkg::StL1 && obs_state_o != nw_pkg::StL2));
    end
  end

  // -- that all this happens ---------------------------------------------------------------------
  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_walk_is_installed: cover (obs_finish_o && obs_install_o != '0);
      a_response_waits: cover (rsp_valid_o && !rsp_ready_i);
      a_walk_faults_in_stage_2: cover (rsp_valid_o && is_fault && rsp_stage_o == 2'd2);
    end
  end

endmodule
