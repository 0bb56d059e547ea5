// SPDX-License-Identifier: Apache-2.0
//
// What is proved of installs beyond the MMU's own assertions; included into nw_mmu. The MMU's other
// properties are those of its ports: nw_mmu_formal.sv.

  logic installed_q;   // something, for the request in hand

  // What the level-2 TLB gives was installed into it: proved of the CAM.
  always_comb begin
    assume (!obs_hit_o[nw_pkg::L2] || l2_size <= nw_pkg::SIZE_1G);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      installed_q <= 1'b0;
    end else begin
      installed_q <= !accepts && (installed_q || obs_install_o != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      a_response_with_a_fault_follows_no_install:
        assert (!(rsp_valid_o && rsp_fault_o != nw_pkg::FAULT_NONE && installed_q));
      a_walk_that_has_installed_does_not_fault:
        assert (!(installed_q && front_q == FrontWalk) ||
                (walked.fault.kind == nw_pkg::FAULT_NONE &&
                 (walk_state == nw_pkg::StFill || walk_state == nw_pkg::StFinish)));
      nothing_is_installed_before_the_lookup: assert (!(installed_q && (in_l1 || in_l2)));
    end
  end
