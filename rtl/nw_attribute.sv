// SPDX-License-Identifier: Apache-2.0
//
// The memory attributes that a leaf asks for, DDI 0406C B3.8, in one form for all formats
// (nw_pkg::attributes_t).

module nw_attribute (
  input  logic                stage2_i,  // a stage-2 descriptor, else
  input  logic                long_i,    // a long one, else a short one
  input  logic [4:0]          tex_cb_i,  // short: TEX[2:0], C, B
  input  logic                s_i,       // short: S
  input  logic [2:0]          index_i,   // long, stage 1: AttrIndx
  input  logic [3:0]          memattr_i,  // stage 2: MemAttr
  input  logic [1:0]          sh_i,      // long and stage 2: SH
  input  logic                remap_i,   // short: SCTLR.TRE
  input  logic [31:0]         mair0_i,   // or PRRR
  input  logic [31:0]         mair1_i,   // or NMRR
  output nw_pkg::attributes_t attributes_o
);

  // Table B3-11 and the encoding of NMRR: non-cacheable, write-back write-allocate, write-through,
  // write-back without write-allocate.
  function automatic logic [3:0] cacheability(input logic [1:0] code);
    case (code)
      2'd0:    cacheability = 4'h4;
      2'd1:    cacheability = 4'hf;
      2'd2:    cacheability = 4'ha;
      default: cacheability = 4'he;
    endcase
  endfunction

  // ---- short descriptors ------------------------------------------------------------------------

  // Table B3-10, without remap. Shareable Normal memory is outer shareable. Reserved encodings are
  // unpredictable: Strongly-ordered here.
  logic [7:0] plain_attr;
  always_comb begin
    unique casez (tex_cb_i)
      5'b1????: plain_attr = {cacheability(tex_cb_i[3:2]), cacheability(tex_cb_i[1:0])};
      5'b00001: plain_attr = nw_pkg::DEVICE;
      5'b01000: plain_attr = nw_pkg::DEVICE;  // shareable, too, where LPAE is implemented
      5'b00010: plain_attr = 8'haa;
      5'b00011: plain_attr = 8'hee;
      5'b00100: plain_attr = nw_pkg::NON_CACHEABLE;
      5'b00111: plain_attr = 8'hff;
      default:  plain_attr = nw_pkg::STRONGLY_ORDERED;
    endcase
  end

  // B3.8.3 and B4.1.127: n = TEX[0]:C:B selects fields of PRRR and NMRR. The implementation-defined
  // n = 6 is remapped like the others; the reserved type 0b11 is Strongly-ordered.
  logic [1:0] remap_type, remap_inner, remap_outer;
  logic       remap_shareable, remap_not_outer;
  assign remap_type      = 2'(mair0_i >> {tex_cb_i[2:0], 1'b0});
  assign remap_inner     = 2'(mair1_i >> {tex_cb_i[2:0], 1'b0});
  assign remap_outer     = 2'(mair1_i[31:16] >> {tex_cb_i[2:0], 1'b0});
  assign remap_shareable = s_i ? mair0_i[19] : mair0_i[18];           // NS1, NS0
  assign remap_not_outer = 1'(mair0_i[31:24] >> tex_cb_i[2:0]);       // NOS

  logic [7:0] remap_attr;
  logic [1:0] remap_sh;
  always_comb begin
    unique case (remap_type)
      2'd1:    remap_attr = nw_pkg::DEVICE;
      2'd2:    remap_attr = {cacheability(remap_outer), cacheability(remap_inner)};
      default: remap_attr = nw_pkg::STRONGLY_ORDERED;
    endcase
    if (!remap_shareable)     remap_sh = nw_pkg::NON_SHAREABLE;
    else if (remap_not_outer) remap_sh = nw_pkg::INNER_SHAREABLE;
    else                      remap_sh = nw_pkg::OUTER_SHAREABLE;
  end

  // ---- long descriptors, stage 1 ----------------------------------------------------------------

  logic [7:0] mair_attr;
  assign mair_attr = 8'({mair1_i, mair0_i} >> {index_i, 3'b000});  // B3.8.4

  // ---- stage 2 ----------------------------------------------------------------------------------

  // Table B3-22. MemAttr has no allocation hints: those of stage 1 hold, so stage 2 claims them
  // all. A reserved inner attribute is write-back.
  function automatic logic [3:0] stage2_nibble(input logic [1:0] code);
    case (code)
      2'd1:    stage2_nibble = 4'h4;
      2'd2:    stage2_nibble = 4'hb;
      default: stage2_nibble = 4'hf;
    endcase
  endfunction

  logic [7:0] stage2_attr;
  always_comb begin
    if (memattr_i[3:2] != 2'd0)      stage2_attr = {stage2_nibble(memattr_i[3:2]),
                                                    stage2_nibble(memattr_i[1:0])};
    else if (memattr_i[1:0] == 2'd0) stage2_attr = nw_pkg::STRONGLY_ORDERED;
    else                             stage2_attr = nw_pkg::DEVICE;  // 0b0010, 0b0011: unpredictable
  end

  // ---- which ------------------------------------------------------------------------------------

  always_comb begin
    if (stage2_i)     attributes_o = nw_pkg::settled(stage2_attr, sh_i);
    else if (long_i)  attributes_o = nw_pkg::settled(mair_attr, sh_i);
    else if (remap_i) attributes_o = nw_pkg::settled(remap_attr, remap_sh);
    else              attributes_o = nw_pkg::settled(plain_attr, {s_i, 1'b0});
  end

endmodule
