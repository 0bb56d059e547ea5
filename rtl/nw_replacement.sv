// SPDX-License-Identifier: Apache-2.0
//
// Which entry of a full CAM goes next. The state is a function of the touches alone: it does not
// know which entries are valid, and maintenance leaves it as it is. Up to 64 entries true LRU;
// beyond, tree-PLRU, for which the number of entries is a power of two.
//
//   LRU    an age matrix, of which the half below the diagonal is kept: bit [way][other] says that
//          `way` was used after `other`, other < way. The invariant: the matrix is a total order.
//   PLRU   one bit per node of a binary tree kept as a heap, node 1 the root, the children of n
//          2n and 2n+1: the bit names the half to evict from; a use points its path away.

module nw_replacement #(
  parameter int unsigned Entries = 16
) (
  input  logic       clk_i,
  input  logic       rst_ni,

  input  logic       touch_i,
  input  logic [7:0] touch_way_i,

  input  logic       choose_i,   // without it the victim is 0
  output logic [7:0] victim_o    // as of the touches before this cycle
);

  localparam int unsigned MostLru = 64;

`ifndef SYNTHESIS
  logic       touched_q;   // ever
  logic [7:0] newest_q;
`endif

  if (Entries == 1) begin : gen_one
    assign victim_o = '0;

    logic unused;
    assign unused = ^{clk_i, rst_ni, touch_i, touch_way_i, choose_i};
  end else if (Entries <= MostLru) begin : gen_lru
    // The matrix row by row; its bits on and above the diagonal are constant 0. A use sets the
    // row of its way and clears the column, whole rows at a time.
    logic [Entries*Entries-1:0] newer_q;
    logic [Entries*Entries-1:0] newer_d;
    logic [Entries-1:0] touched;

    assign touched = Entries'(1) << touch_way_i;

    always_comb begin
      newer_d = newer_q;
      if (touch_i) begin
        for (int unsigned way = 0; way < Entries; way++) begin
          newer_d[way*Entries +: Entries] =
              ((newer_q[way*Entries +: Entries] & ~touched) | {Entries{touched[way]}}) &
              ((Entries'(1) << way) - Entries'(1));
        end
      end
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        newer_q <= '0;
      end else begin
        newer_q <= newer_d;
      end
    end

    // The oldest is newer than nobody: its row is empty and its column below the diagonal full.
    logic [Entries-1:0] oldest;

    always_comb begin
      oldest = '1;
      victim_o = '0;
      if (choose_i) begin
        for (int unsigned way = 0; way < Entries; way++) begin
          oldest = oldest &
              (newer_q[way*Entries +: Entries] | ~((Entries'(1) << way) - Entries'(1)));
          oldest[way] = oldest[way] && newer_q[way*Entries +: Entries] == '0;
        end
        for (int unsigned way = 0; way < Entries; way++) begin
          victim_o = victim_o | ({8{oldest[way]}} & 8'(way));
        end
      end
    end

`ifdef NW_PROVE_REPLACEMENT
`include "nw_lru_properties.svh"
`endif
  end else begin : gen_plru
    localparam int unsigned Levels = $clog2(Entries);

    logic [Entries-1:1] upper_q;
    logic [Entries-1:1] upper_d;

    always_comb begin
      upper_d = upper_q;
      if (touch_i) begin
        for (int unsigned level = 0; level < Levels; level++) begin
          upper_d[(8'(1) << level) | (touch_way_i >> (Levels - level))] =
              !touch_way_i[Levels - 1 - level];
        end
      end
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        upper_q <= '0;
      end else begin
        upper_q <= upper_d;
      end
    end

    always_comb begin
      victim_o = '0;
      if (choose_i) begin
        for (int unsigned level = 0; level < Levels; level++) begin
          victim_o = (victim_o << 1) | 8'(upper_q[(8'(1) << level) | victim_o]);
        end
      end
    end

`ifdef NW_PROVE_REPLACEMENT
`include "nw_plru_properties.svh"
`endif
  end

  // -- assertions --------------------------------------------------------------------------------
`ifndef SYNTHESIS
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      touched_q <= 1'b0;
      newest_q  <= '0;
    end else if (touch_i) begin
      touched_q <= 1'b1;
      newest_q  <= touch_way_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (touched_q) begin
      a_touched_way_exists: assert (32'(newest_q) < Entries);
    end
    if (touched_q && choose_i) begin
      the_victim_exists: assert (32'(victim_o) < Entries);
      the_victim_is_not_the_newest: assert (Entries == 1 || victim_o != newest_q);
    end
  end
`endif

endmodule
