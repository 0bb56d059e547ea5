// SPDX-License-Identifier: Apache-2.0
//
// What is proved of the tree beyond the module's own assertions; included into gen_plru of
// nw_replacement. The path to the way used last points away from it at every level.

    logic points_away;

`ifndef NW_PROVE_CAM   // as a part of the CAM it gets what the CAM gives
    always_comb begin
      assume (rst_ni == !$initstate);
      assume (!touch_i || 32'(touch_way_i) < Entries);
    end

    always_ff @(posedge clk_i) begin
      a_touch_changes_the_victim: cover (touched_q && choose_i && victim_o != '0);
    end
`endif

    always_comb begin
      points_away = 1'b1;
      for (int unsigned level = 0; level < Levels; level++) begin
        points_away = points_away &&
            upper_q[(8'(1) << level) | (newest_q >> (Levels - level))] !=
            newest_q[Levels - 1 - level];
      end
    end

    always_ff @(posedge clk_i) begin
      the_path_of_the_way_used_last_points_away: assert (!touched_q || points_away);
    end
