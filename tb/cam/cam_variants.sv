// SPDX-License-Identifier: Apache-2.0
//
// The CAM under test: one of each parameter set, all driven alike. What each of them answers, and
// its parameters, are 128 bits of result_o:
//   31..0    0, install way 8, install evicts 1, hit way 8, hit size 3, hit 1
//   95..32   hit data
//   127..96  0, nested 1, key width 8, entries 16; 0 for a set that is not built

module cam_variants #(
  parameter int unsigned Variants = 10   // the first so many
) (
  input  logic          clk_i,
  input  logic          rst_ni,

  input  logic          lookup_i,
  input  logic [27:0]   lookup_key_i,
  input  logic [7:0]    lookup_asid_i,
  input  logic [9:0]    lookup_context_i,

  input  logic          install_i,
  input  logic [27:0]   install_key_i,
  input  logic [2:0]    install_size_i,
  input  logic [7:0]    install_asid_i,
  input  logic [9:0]    install_context_i,
  input  logic          install_global_i,
  input  logic [63:0]   install_data_i,

  input  logic          drop_i,
  input  logic          drop_by_key_i,
  input  logic [27:0]   drop_key_i,
  input  logic          drop_by_asid_i,
  input  logic [7:0]    drop_asid_i,
  input  logic          drop_globals_i,
  input  logic          drop_by_vmid_i,
  input  logic [7:0]    drop_vmid_i,

  output logic [1279:0] result_o
);

  localparam int unsigned All = 10;

  localparam logic [All*16-1:0] EntriesOf =
      {16'd128, 16'd128, 16'd64, 16'd64, 16'd16, 16'd16, 16'd4, 16'd4, 16'd3, 16'd1};
  localparam logic [All*8-1:0] KeyWidthOf =
      {8'd20, 8'd28, 8'd28, 8'd20, 8'd28, 8'd20, 8'd28, 8'd20, 8'd28, 8'd20};
  localparam logic [All-1:0] NestedOf = 10'b1010100110;

  for (genvar v = 0; v < All; v++) begin : gen_variant
    if (v < Variants) begin : gen_built
      localparam int unsigned Entries = 32'(EntriesOf[v*16 +: 16]);
      localparam int unsigned KeyWidth = 32'(KeyWidthOf[v*8 +: 8]);

      nw_cam #(
        .Entries   (Entries),
        .KeyWidth  (KeyWidth),
        .DataWidth (64),
        .Nested    (NestedOf[v])
      ) u_cam (
        .clk_i,
        .rst_ni,
        .lookup_i,
        .lookup_key_i    (lookup_key_i[KeyWidth-1:0]),
        .lookup_asid_i,
        .lookup_context_i,
        .hit_o           (result_o[v*128]),
        .hit_size_o      (result_o[v*128+1 +: 3]),
        .hit_way_o       (result_o[v*128+4 +: 8]),
        .hit_data_o      (result_o[v*128+32 +: 64]),
        .install_i,
        .install_key_i   (install_key_i[KeyWidth-1:0]),
        .install_size_i,
        .install_asid_i,
        .install_context_i,
        .install_global_i,
        .install_data_i,
        .install_evict_o (result_o[v*128+12]),
        .install_way_o   (result_o[v*128+13 +: 8]),
        .drop_i,
        .drop_by_key_i,
        .drop_key_i      (drop_key_i[KeyWidth-1:0]),
        .drop_by_asid_i,
        .drop_asid_i,
        .drop_globals_i,
        .drop_by_vmid_i,
        .drop_vmid_i
      );

      assign result_o[v*128+21 +: 11] = '0;
      assign result_o[v*128+96 +: 32] =
          {7'b0, NestedOf[v], KeyWidthOf[v*8 +: 8], EntriesOf[v*16 +: 16]};
    end else begin : gen_not_built
      assign result_o[v*128 +: 128] = '0;
    end
  end

endmodule
