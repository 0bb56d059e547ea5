// SPDX-License-Identifier: Apache-2.0
//
// A structure of the MMU: a CAM (nw_cam.sv) that may be absent, with maintenance as one word. An
// absent one never hits.

module nw_store #(
  parameter int unsigned Entries   = 16,   // 0: absent
  parameter int unsigned KeyWidth  = 20,
  parameter int unsigned DataWidth = 32,
  parameter bit          Nested    = 1'b0
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 lookup_i,
  input  logic [KeyWidth-1:0]  lookup_key_i,
  input  logic [7:0]           lookup_asid_i,
  input  logic [9:0]           lookup_context_i,
  output logic                 hit_o,
  output logic [2:0]           hit_size_o,
  output logic [DataWidth-1:0] hit_data_o,
  input  logic                 install_i,
  input  logic [KeyWidth-1:0]  install_key_i,
  input  logic [2:0]           install_size_i,
  input  logic [7:0]           install_asid_i,
  input  logic [9:0]           install_context_i,
  input  logic                 install_global_i,
  input  logic [DataWidth-1:0] install_data_i,
  output logic                 evict_o,
  output logic [7:0]           way_o,  // of the hit or of the install
  input  logic                 drop_i,
  input  nw_pkg::drop_t        what_i
);

  if (Entries > 0) begin : gen_cam
    logic [7:0] hit_way, install_way;

    nw_cam #(
      .Entries  (Entries),
      .KeyWidth (KeyWidth),
      .DataWidth(DataWidth),
      .Nested   (Nested)
    ) u_cam (
      .clk_i,
      .rst_ni,
      .lookup_i,
      .lookup_key_i,
      .lookup_asid_i,
      .lookup_context_i,
      .hit_o,
      .hit_way_o        (hit_way),
      .hit_size_o,
      .hit_data_o,
      .install_i,
      .install_key_i,
      .install_size_i,
      .install_asid_i,
      .install_context_i,
      .install_global_i,
      .install_data_i,
      .install_evict_o  (evict_o),
      .install_way_o    (install_way),
      .drop_i,
      .drop_by_key_i    (what_i.by_key),
      .drop_key_i       (KeyWidth'(what_i.key)),
      .drop_by_asid_i   (what_i.by_asid),
      .drop_asid_i      (what_i.asid),
      .drop_globals_i   (what_i.globals),
      .drop_by_vmid_i   (what_i.by_vmid),
      .drop_vmid_i      (what_i.vmid)
    );
    assign way_o = hit_way | install_way;  // one of them is 0
  end else begin : gen_absent
    assign {hit_o, hit_size_o, hit_data_o, evict_o, way_o} = '0;
    logic unused;
    assign unused = ^{clk_i, rst_ni, lookup_i, lookup_key_i, lookup_asid_i, lookup_context_i,
                      install_i, install_key_i, install_size_i, install_asid_i, install_context_i,
                      install_global_i, install_data_i, drop_i, what_i};
  end

`ifdef NW_COVERAGE
  logic drops;     // valid entries go by maintenance,
  logic overlaps;  // and because an install overlaps them
  logic outdoes;   // the entry that answers lies in another that matches
  if (Entries > 0) begin : gen_seen
    assign drops    = gen_cam.u_cam.kept != gen_cam.u_cam.valid_q;
    assign overlaps = gen_cam.u_cam.staying != gen_cam.u_cam.kept;
    assign outdoes  = gen_cam.u_cam.matching != gen_cam.u_cam.hit;
  end else begin : gen_unseen
    assign {drops, overlaps, outdoes} = '0;
  end
`endif

endmodule
