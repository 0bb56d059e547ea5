// SPDX-License-Identifier: Apache-2.0
//
// What a descriptor means. DDI 0406C B3.5: short descriptors, two levels of 4 bytes, sections of
// 1 MB and supersections of 16 MB at level 1, large pages of 64 KB and small pages of 4 KB at level
// 2. B3.6: long descriptors, three levels of 8 bytes, blocks of 1 GB and 2 MB, pages of 4 KB; stage
// 1 and stage 2 share the geometry and differ in the attribute bits. PXN is implemented with both.

module nw_descriptor (
  input  logic                stage2_i,      // stage 2 is long whatever long_i says
  input  logic                long_i,        // stage 1: TTBCR.EAE
  input  logic                big_endian_i,  // SCTLR.EE: of stage-1 descriptors alone
  input  logic [1:0]          level_i,
  input  nw_pkg::limits_t     limits_i,      // what the stage-1 tables above say
  input  logic                remap_i,
  input  logic [31:0]         mair0_i,
  input  logic [31:0]         mair1_i,
  input  logic [63:0]         data_i,        // as memory has it, little-endian
  output nw_pkg::descriptor_t descriptor_o
);

  function automatic logic [31:0] swapped(input logic [31:0] word);
    swapped = {word[7:0], word[15:8], word[23:16], word[31:24]};
  endfunction

  logic        swap;
  logic [31:0] s;  // short
  logic [63:0] d;  // long
  assign swap = big_endian_i && !stage2_i;
  assign s = swap ? swapped(data_i[31:0]) : data_i[31:0];
  assign d = swap ? {swapped(data_i[31:0]), swapped(data_i[63:32])} : data_i;

  // ---- short descriptors ------------------------------------------------------------------------

  logic first_level;
  assign first_level = level_i == 2'd1;

  // B3.5.1: bits 1:0. With PXN, 0b11 at level 1 is a section, too. A supersection's address has 40
  // bits and its domain is 0.
  logic [1:0]  short_kind;
  logic [39:0] short_base;
  logic [2:0]  short_size;
  always_comb begin
    short_kind = s[1:0] == 2'b00                ? nw_pkg::KIND_INVALID :
                 first_level && s[1:0] == 2'b01 ? nw_pkg::KIND_TABLE : nw_pkg::KIND_LEAF;
    unique casez ({first_level, s[18], s[1:0]})
      4'b1?0?: begin
        short_size = nw_pkg::SIZE_OFF;
        short_base = {8'h00, s[31:10], 10'h000};
      end
      4'b101?: begin
        short_size = nw_pkg::SIZE_1M;
        short_base = {8'h00, s[31:20], 20'h00000};
      end
      4'b111?: begin
        short_size = nw_pkg::SIZE_16M;
        short_base = {s[8:5], s[23:20], s[31:24], 24'h000000};
      end
      4'b0?1?: begin
        short_size = nw_pkg::SIZE_4K;
        short_base = {8'h00, s[31:12], 12'h000};
      end
      default: begin
        short_size = nw_pkg::SIZE_64K;
        short_base = {8'h00, s[31:16], 16'h0000};
      end
    endcase
  end

  // A page takes its domain and PXN from the table above it.
  logic            supersection, small_page;
  nw_pkg::rights_t short_rights;
  nw_pkg::limits_t short_limits;
  logic [4:0]      tex_cb;
  logic            short_global, short_shareable;
  assign supersection = first_level && s[18];
  assign small_page   = !first_level && s[1];
  always_comb begin
    short_rights        = '0;
    short_rights.ap     = first_level ? {s[15], s[11:10]} : {s[9], s[5:4]};
    short_rights.xn     = first_level ? s[4] : small_page ? s[0] : s[15];
    short_rights.pxn    = first_level ? s[0] : limits_i.pxn;
    short_rights.domain = supersection ? 4'h0 : first_level ? s[8:5] : limits_i.domain;
    short_limits        = '0;
    short_limits.domain = s[8:5];
    short_limits.pxn    = s[2];
    tex_cb              = {small_page ? s[8:6] : s[14:12], s[3:2]};
    short_global        = first_level ? !s[17] : !s[11];
    short_shareable     = first_level ? s[16] : s[10];
  end

  // ---- long descriptors -------------------------------------------------------------------------

  logic last_level;
  assign last_level = level_i == 2'd3;

  // B3.6.1: bits 1:0. At level 3, 0b01 is invalid.
  logic [1:0]  long_kind;
  logic [39:0] long_base;
  logic [2:0]  long_size;
  always_comb begin
    if (!d[0] || (last_level && !d[1])) long_kind = nw_pkg::KIND_INVALID;
    else if (d[1] && !last_level)       long_kind = nw_pkg::KIND_TABLE;
    else                                long_kind = nw_pkg::KIND_LEAF;
    unique case (level_i)
      2'd1:    long_size = nw_pkg::SIZE_1G;
      2'd2:    long_size = nw_pkg::SIZE_2M;
      default: long_size = nw_pkg::SIZE_4K;
    endcase
    long_base = {d[39:12], 12'h000};
    if (long_kind == nw_pkg::KIND_LEAF) long_base[39:12] &= nw_pkg::size_key_mask(long_size);
  end

  // B3.6.3: tables subtract from what the levels below give. AP[2:1] stands as AP[2:0], AP[0] = 1.
  nw_pkg::rights_t long_rights;
  nw_pkg::limits_t long_limits;
  always_comb begin
    long_rights           = '0;
    long_limits           = '0;
    long_limits.no_user   = d[61];
    long_limits.read_only = d[62];
    long_limits.xn        = d[60];
    long_limits.pxn       = d[59];
    if (stage2_i) begin
      // HAP, B3.7.3: execution needs the right to read.
      long_rights.stage2 = {d[6] && !d[54], d[7], d[6]};
    end else begin
      long_rights.ap[2] = d[7] || limits_i.read_only;
      long_rights.ap[1] = d[6] && !limits_i.no_user;
      long_rights.ap[0] = 1'b1;
      long_rights.xn    = d[54] || limits_i.xn;
      long_rights.pxn   = d[53] || limits_i.pxn;
    end
  end

  // Ignored bits: nG and AttrIndx of stage 2 are other fields' or nobody's, as are the contiguous
  // hint, the software bits and NSTable.
  logic unused_data;
  assign unused_data = ^{d[63], d[58:55], d[52:40], s[19]};

  // ---- which ------------------------------------------------------------------------------------

  nw_pkg::attributes_t attributes;
  nw_attribute u_attribute (
    .stage2_i,
    .long_i,
    .tex_cb_i    (tex_cb),
    .s_i         (short_shareable),
    .index_i     (d[4:2]),
    .memattr_i   (d[5:2]),
    .sh_i        (d[9:8]),
    .remap_i,
    .mair0_i,
    .mair1_i,
    .attributes_o(attributes)
  );

  assign descriptor_o.attributes = attributes;
  always_comb begin
    if (stage2_i || long_i) begin
      descriptor_o.kind              = long_kind;
      descriptor_o.base              = long_base;
      descriptor_o.size              = long_size;
      descriptor_o.limits            = long_limits;
      descriptor_o.rights            = long_rights;
      descriptor_o.global            = stage2_i || !d[11];
      descriptor_o.access_flag_clear = !d[10];
    end else begin
      descriptor_o.kind              = short_kind;
      descriptor_o.base              = short_base;
      descriptor_o.size              = short_size;
      descriptor_o.limits            = short_limits;
      descriptor_o.rights            = short_rights;
      descriptor_o.global            = short_global;
      descriptor_o.access_flag_clear = 1'b0;  // SCTLR.AFE: judged with the rights
    end
  end

endmodule
