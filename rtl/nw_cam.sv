// SPDX-License-Identifier: Apache-2.0
//
// A content-addressed store of translations: TLB, walk cache (Nested) and IPA cache are made of it.
// Every entry has a page size of its own, as a mask of the address bits that it compares.
//
// The main invariant: at most one entry matches an address under one ASID and context, since an
// install drops whatever overlaps it. In a nested store entries may lie in one another (the table
// of a 2 MB region in that of its 1 GB): one entry of each size matches, the smallest answers, and
// an install drops only an entry of its own span.
//
// Everything takes one cycle. Within it a drop comes first, then an install, then a lookup: what is
// being dropped does not hit, is not touched, and leaves its place to an install. Install and
// lookup never come together. An install takes the lowest place that is free after all drops, else
// the one that the replacement policy names. A hit and an install touch the replacement state; a
// drop does not.
//
// A context is {stage switches, VMID}. An entry is found under its whole context and dropped by its
// VMID alone, whatever stages were on when it was made.

module nw_cam #(
  parameter int unsigned Entries   = 16,   // 1 to 256; above 64 a power of two
  parameter int unsigned KeyWidth  = 20,   // address bits from bit 12 up: VA 20, IPA 28
  parameter int unsigned DataWidth = 32,
  parameter bit          Nested    = 1'b0
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,

  // Without lookup_i the outputs are 0.
  input  logic                 lookup_i,
  input  logic [KeyWidth-1:0]  lookup_key_i,
  input  logic [7:0]           lookup_asid_i,
  input  logic [9:0]           lookup_context_i,
  output logic                 hit_o,
  output logic [7:0]           hit_way_o,
  output logic [2:0]           hit_size_o,
  output logic [DataWidth-1:0] hit_data_o,

  // Without install_i the outputs are 0.
  input  logic                 install_i,
  input  logic [KeyWidth-1:0]  install_key_i,
  input  logic [2:0]           install_size_i,
  input  logic [7:0]           install_asid_i,
  input  logic [9:0]           install_context_i,
  input  logic                 install_global_i,   // matches every ASID
  input  logic [DataWidth-1:0] install_data_i,
  output logic                 install_evict_o,    // a valid entry goes because there is no room
  output logic [7:0]           install_way_o,

  // An entry is dropped where every condition that is switched on holds; all without any.
  input  logic                 drop_i,
  input  logic                 drop_by_key_i,      // it covers the key
  input  logic [KeyWidth-1:0]  drop_key_i,
  input  logic                 drop_by_asid_i,     // it is of the ASID
  input  logic [7:0]           drop_asid_i,
  input  logic                 drop_globals_i,     // with by_asid: or is global
  input  logic                 drop_by_vmid_i,
  input  logic [7:0]           drop_vmid_i
);

  localparam int unsigned Sizes = 6;   // of nw_pkg's page size codes, in order of size
  localparam int unsigned WayWidth = Entries == 1 ? 1 : $clog2(Entries);

  logic [Entries-1:0]   valid_q;
  logic [Entries-1:0]   valid_d;

  // Meaningless where not valid, so without a reset. Bits of a key below its size are 0.
  (* mem2reg *) logic [KeyWidth-1:0]  key_q     [Entries];
  (* mem2reg *) logic [KeyWidth-1:0]  mask_q    [Entries];   // compared bits of the key
  (* mem2reg *) logic [2:0]           size_q    [Entries];
  (* mem2reg *) logic [7:0]           asid_q    [Entries];
  (* mem2reg *) logic [9:0]           context_q [Entries];
  (* mem2reg *) logic                 global_q  [Entries];
  (* mem2reg *) logic [DataWidth-1:0] data_q    [Entries];

  logic [KeyWidth-1:0]  install_mask;

  assign install_mask = KeyWidth'(nw_pkg::size_key_mask(install_size_i));

  // -- drop --------------------------------------------------------------------------------------
  logic [Entries-1:0] kept;

  always_comb begin
    kept = valid_q;
    if (drop_i) begin
      for (int unsigned way = 0; way < Entries; way++) begin
        kept[way] = valid_q[way] &&
            ((drop_by_key_i && ((key_q[way] ^ drop_key_i) & mask_q[way]) != '0) ||
             (drop_by_vmid_i && context_q[way][7:0] != drop_vmid_i) ||
             (drop_by_asid_i &&
              !(global_q[way] ? drop_globals_i : asid_q[way] == drop_asid_i)));
      end
    end
  end

  // -- install -----------------------------------------------------------------------------------
  logic [Entries-1:0] staying;    // of what is kept: does not overlap the new entry
  logic [Entries-1:0] taken;      // one-hot: where the new entry goes
  logic [WayWidth-1:0] place;     // the same as a number
  logic [7:0]         victim;
  logic               full;

  always_comb begin
    staying = kept;
    if (install_i) begin
      for (int unsigned way = 0; way < Entries; way++) begin
        staying[way] = kept[way] &&
            (((key_q[way] ^ install_key_i) & mask_q[way] & install_mask) != '0 ||
             (Nested && size_q[way] != install_size_i) ||
             context_q[way] != install_context_i ||
             !(global_q[way] || install_global_i || asid_q[way] == install_asid_i));
      end
    end
  end

  assign full = install_i && (&staying);
  assign install_evict_o = full;

  always_comb begin
    taken = '0;
    install_way_o = '0;
    if (install_i) begin
      taken = full ? Entries'(1) << victim : ~staying & (staying + Entries'(1));
      for (int unsigned way = 0; way < Entries; way++) begin
        install_way_o = install_way_o | ({8{taken[way]}} & 8'(way));
      end
    end
  end

  assign valid_d = staying | taken;
  assign place = install_way_o[WayWidth-1:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else begin
      valid_q <= valid_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (install_i) begin
      key_q[place]     <= install_key_i & install_mask;
      mask_q[place]    <= install_mask;
      size_q[place]    <= install_size_i;
      asid_q[place]    <= install_asid_i;
      context_q[place] <= install_context_i;
      global_q[place]  <= install_global_i;
      data_q[place]    <= install_data_i;
    end
  end

  // -- lookup ------------------------------------------------------------------------------------
  logic [Entries-1:0] matching;
  logic [Entries-1:0] hit;

  always_comb begin
    matching = '0;
    if (lookup_i) begin
      for (int unsigned way = 0; way < Entries; way++) begin
        matching[way] = kept[way] &&
            ((key_q[way] ^ lookup_key_i) & mask_q[way]) == '0 &&
            context_q[way] == lookup_context_i &&
            (global_q[way] || asid_q[way] == lookup_asid_i);
      end
    end
  end

  if (Nested) begin : gen_smallest
    // From the largest size down, so that the smallest is the one that stays.
    logic [Entries-1:0] of_size;

    always_comb begin
      hit = '0;
      of_size = '0;
      if (|matching) begin
        for (int unsigned size = 0; size < Sizes; size++) begin
          for (int unsigned way = 0; way < Entries; way++) begin
            of_size[way] = matching[way] && size_q[way] == 3'(Sizes - 1 - size);
          end
          hit = |of_size ? of_size : hit;
        end
      end
    end
  end else begin : gen_only
    assign hit = matching;
  end

  always_comb begin
    hit_way_o = '0;
    hit_size_o = '0;
    hit_data_o = '0;
    if (lookup_i) begin
      for (int unsigned way = 0; way < Entries; way++) begin
        hit_way_o  = hit_way_o  | ({8{hit[way]}} & 8'(way));
        hit_size_o = hit_size_o | ({3{hit[way]}} & size_q[way]);
        hit_data_o = hit_data_o | ({DataWidth{hit[way]}} & data_q[way]);
      end
    end
  end

  assign hit_o = |hit;

  // -- replacement -------------------------------------------------------------------------------
  nw_replacement #(
    .Entries (Entries)
  ) u_replacement (
    .clk_i,
    .rst_ni,
    .touch_i     (install_i || hit_o),
    .touch_way_i (install_i ? install_way_o : hit_way_o),
    .choose_i    (full),
    .victim_o    (victim)
  );

  // -- assertions --------------------------------------------------------------------------------
`ifndef SYNTHESIS
  logic                running_q;      // out of reset
  logic                installed_q;    // in the cycle before, at `newest_q`
  logic [WayWidth-1:0] newest_q;
  logic                newest_stands_alone;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q   <= 1'b0;
      installed_q <= 1'b0;
      newest_q    <= '0;
    end else begin
      running_q   <= 1'b1;
      installed_q <= install_i;
      newest_q    <= place;
    end
  end

  // The invariant, at the only moment at which it can break.
  always_comb begin
    newest_stands_alone = 1'b1;
    if (installed_q) begin
      for (int unsigned way = 0; way < Entries; way++) begin
        if (valid_q[way] && WayWidth'(way) != newest_q &&
            ((key_q[way] ^ key_q[newest_q]) & mask_q[way] & mask_q[newest_q]) == '0 &&
            !(Nested && size_q[way] != size_q[newest_q]) &&
            context_q[way] == context_q[newest_q] &&
            (global_q[way] || global_q[newest_q] || asid_q[way] == asid_q[newest_q])) begin
          newest_stands_alone = 1'b0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (running_q) begin
      an_install_and_a_lookup_never_coincide: assert (!(install_i && lookup_i));
      an_installed_size_is_a_page_size: assert (!install_i || install_size_i < 3'(Sizes));
      at_most_one_entry_hits: assert ((hit & (hit - Entries'(1))) == '0);
      an_installed_entry_overlaps_no_other: assert (newest_stands_alone);
    end
  end
`endif
`ifdef NW_PROVE_CAM
`include "nw_cam_properties.svh"
`endif

endmodule
