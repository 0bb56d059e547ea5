// SPDX-License-Identifier: Apache-2.0
//
// What is proved of the age matrix beyond the module's own assertions; included into gen_lru of
// nw_replacement. The kept half answers for the other one, so of two ways exactly one is newer, by
// construction; what is left to prove is that the order is transitive, and that touches and victims
// mean by it what they should.

    logic [Entries*Entries-1:0] newer;     // [a][b]: a was used after b
    logic                       transitive;
    logic                       one_half;  // the other half is 0
    logic [Entries-1:0]         newest;    // newer than all others
    logic [Entries-1:0]         last;      // newer than none

`ifndef NW_PROVE_CAM   // as a part of the CAM it gets what the CAM gives
    always_comb begin
      assume (rst_ni == !$initstate);
      assume (!touch_i || 32'(touch_way_i) < Entries);
    end

    always_ff @(posedge clk_i) begin
      a_touch_changes_the_victim: cover (touched_q && choose_i && 32'(victim_o) == Entries - 2);
    end
`endif

    always_comb begin
      one_half = 1'b1;
      for (int unsigned a = 0; a < Entries; a++) begin
        for (int unsigned b = 0; b < Entries; b++) begin
          newer[a*Entries+b] = b < a ? newer_q[a*Entries+b] : b > a && !newer_q[b*Entries+a];
          one_half = one_half && (b < a || !newer_q[a*Entries+b]);
        end
      end
    end

    always_comb begin
      transitive = 1'b1;
      newest = '1;
      last = '1;
      for (int unsigned a = 0; a < Entries; a++) begin
        for (int unsigned b = 0; b < Entries; b++) begin
          newest[a] = newest[a] && (a == b || newer[a*Entries+b]);
          last[a] = last[a] && !newer[a*Entries+b];
          for (int unsigned c = 0; c < Entries; c++) begin
            transitive = transitive &&
                !(newer[a*Entries+b] && newer[b*Entries+c] && !newer[a*Entries+c]);
          end
        end
      end
    end

    always_ff @(posedge clk_i) begin
      the_matrix_keeps_one_half: assert (one_half);
      the_order_is_transitive: assert (transitive);
      the_way_used_last_is_the_newest: assert (!touched_q || newest == Entries'(1) << newest_q);
      the_victim_is_the_one_newer_than_none:
        assert (!choose_i || last == Entries'(1) << victim_o);
    end
