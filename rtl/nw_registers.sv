// SPDX-License-Identifier: Apache-2.0
//
// The registers that control translation and what they mean: DDI 0406C B4.1 (encodings), B3.5.4 and
// B3.6.4 (roots). Only the fields that mean something here are kept; upper halves of 32-bit
// registers and other fields are ignored. Every register is 0 after reset.
//
// Everything in regime_o follows from the registers at once: a write shows in the next cycle.

module nw_registers (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            write_i,
  input  logic [3:0]      select_i,  // nw_pkg::REG_*
  input  logic [63:0]     data_i,
  output nw_pkg::regime_t regime_o
);

  // ---- fields kept ------------------------------------------------------------------------------

  typedef struct packed {
    logic dc;
    logic ptw;
    logic vm;
  } hcr_t;

  typedef struct packed {
    logic [1:0] sl0;
    logic [3:0] t0sz;  // signed
  } vtcr_t;

  typedef struct packed {
    logic       eae;
    logic       epd1;
    logic       a1;
    logic [2:0] t1sz;
    logic       epd0;
    logic       pd1;
    logic       pd0;
    logic [2:0] t0sz;  // short descriptors: N
  } ttbcr_t;

  typedef struct packed {
    logic [7:0]  id;    // ASID, VMID
    logic [35:0] base;  // bits 39:4; no table is smaller
  } root_register_t;

  typedef struct packed {
    logic afe;
    logic tre;
    logic ee;
    logic uwxn;
    logic wxn;
    logic i;
    logic m;
  } sctlr_t;

  hcr_t           hcr_q, hcr_d;
  vtcr_t          vtcr_q, vtcr_d;
  ttbcr_t         ttbcr_q, ttbcr_d;
  root_register_t vttbr_q, vttbr_d, ttbr0_q, ttbr0_d, ttbr1_q, ttbr1_d;
  sctlr_t         sctlr_q, sctlr_d;
  logic [31:0]    dacr_q, dacr_d, mair0_q, mair0_d, mair1_q, mair1_d;
  logic [7:0]     contextidr_q, contextidr_d;  // ASID, for short descriptors

  always_comb begin
    hcr_d        = hcr_q;
    vtcr_d       = vtcr_q;
    vttbr_d      = vttbr_q;
    ttbcr_d      = ttbcr_q;
    ttbr0_d      = ttbr0_q;
    ttbr1_d      = ttbr1_q;
    dacr_d       = dacr_q;
    sctlr_d      = sctlr_q;
    mair0_d      = mair0_q;
    mair1_d      = mair1_q;
    contextidr_d = contextidr_q;
    if (write_i) begin
      unique case (select_i)
        nw_pkg::REG_HCR:        hcr_d = {data_i[12], data_i[2], data_i[0]};
        nw_pkg::REG_VTCR:       vtcr_d = {data_i[7:6], data_i[3:0]};
        nw_pkg::REG_VTTBR:      vttbr_d = {data_i[55:48], data_i[39:4]};
        nw_pkg::REG_TTBCR:      ttbcr_d = {data_i[31], data_i[23:22], data_i[18:16], data_i[7],
                                           data_i[5:4], data_i[2:0]};
        nw_pkg::REG_TTBR0:      ttbr0_d = {data_i[55:48], data_i[39:4]};
        nw_pkg::REG_TTBR1:      ttbr1_d = {data_i[55:48], data_i[39:4]};
        nw_pkg::REG_DACR:       dacr_d = data_i[31:0];
        nw_pkg::REG_SCTLR:      sctlr_d = {data_i[29:28], data_i[25], data_i[20:19], data_i[12],
                                           data_i[0]};
        nw_pkg::REG_PRRR_MAIR0: mair0_d = data_i[31:0];
        nw_pkg::REG_NMRR_MAIR1: mair1_d = data_i[31:0];
        nw_pkg::REG_CONTEXTIDR: contextidr_d = data_i[7:0];
        default:                ;  // no such register
      endcase
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hcr_q        <= '0;
      vtcr_q       <= '0;
      vttbr_q      <= '0;
      ttbcr_q      <= '0;
      ttbr0_q      <= '0;
      ttbr1_q      <= '0;
      dacr_q       <= '0;
      sctlr_q      <= '0;
      mair0_q      <= '0;
      mair1_q      <= '0;
      contextidr_q <= '0;
    end else begin
      hcr_q        <= hcr_d;
      vtcr_q       <= vtcr_d;
      vttbr_q      <= vttbr_d;
      ttbcr_q      <= ttbcr_d;
      ttbr0_q      <= ttbr0_d;
      ttbr1_q      <= ttbr1_d;
      dacr_q       <= dacr_d;
      sctlr_q      <= sctlr_d;
      mair0_q      <= mair0_d;
      mair1_q      <= mair1_d;
      contextidr_q <= contextidr_d;
    end
  end

  logic unused_data;
  assign unused_data = ^{data_i[63:56], data_i[47:40]};

  // ---- switches ---------------------------------------------------------------------------------

  // HCR.DC makes stage 1 behave as switched off and, with HCR.VM clear, which ARMv7 leaves
  // unpredictable, stage 2 as switched on: ARMv8's rule.
  assign regime_o.s1_enabled        = sctlr_q.m && !hcr_q.dc;
  assign regime_o.s2_enabled        = hcr_q.vm || hcr_q.dc;
  assign regime_o.long_descriptors  = ttbcr_q.eae;
  assign regime_o.default_cacheable = hcr_q.dc;
  assign regime_o.protected_walk    = hcr_q.ptw;
  assign regime_o.big_endian        = sctlr_q.ee;
  assign regime_o.instruction_cache = sctlr_q.i;
  assign regime_o.access_flag_in_ap = sctlr_q.afe && !ttbcr_q.eae;
  assign regime_o.remap             = sctlr_q.tre && !ttbcr_q.eae;
  assign regime_o.wxn               = sctlr_q.wxn;
  assign regime_o.uwxn              = sctlr_q.uwxn;
  assign regime_o.dacr              = dacr_q;
  assign regime_o.mair0             = mair0_q;
  assign regime_o.mair1             = mair1_q;
  assign regime_o.vmid              = vttbr_q.id;

  // B3.9.1: short descriptors take the ASID from CONTEXTIDR, long ones from a TTBR (TTBCR.A1).
  assign regime_o.asid = !ttbcr_q.eae ? contextidr_q : ttbcr_q.a1 ? ttbr1_q.id : ttbr0_q.id;

  // ---- stage-1 roots ----------------------------------------------------------------------------

  // A table's base is aligned to the table's size: the bits that the index and the descriptor's own
  // bytes (4 if short, 8 if long) cover are not looked at.
  function automatic logic [39:0] aligned(input logic [35:0] base, input logic [3:0] index_bits,
                                          input logic long_descriptors);
    logic [39:0] offset;
    offset = long_descriptors ? ~({37'h1fffffffff, 3'b0} << index_bits)
                              : ~({38'h3fffffffff, 2'b0} << index_bits);
    aligned = {base, 4'b0} & ~offset;
  endfunction

  // TranslationTableWalkLD: an input of at most 30 bits starts at level 2.
  function automatic logic [1:0] long_start_level(input logic [2:0] cut);
    long_start_level = cut > 3'd1 ? 2'd2 : 2'd1;
  endfunction

  function automatic logic [3:0] long_index_bits(input logic [2:0] cut);
    long_index_bits = (cut > 3'd1 ? 4'd11 : 4'd2) - {1'b0, cut};
  endfunction

  // B3.5.4: with short descriptors TTBR0's table shrinks with TTBCR.N; TTBR1's is always whole.
  logic [3:0] lower_index_bits, upper_index_bits;
  always_comb begin
    if (ttbcr_q.eae) begin
      lower_index_bits = long_index_bits(ttbcr_q.t0sz);
      upper_index_bits = long_index_bits(ttbcr_q.t1sz);
    end else begin
      lower_index_bits = 4'd12 - {1'b0, ttbcr_q.t0sz};
      upper_index_bits = 4'd12;
    end
  end

  // Short descriptors use the low word of a TTBR.
  logic [35:0] base_mask;
  assign base_mask = ttbcr_q.eae ? 36'hfffffffff : 36'h00fffffff;

  assign regime_o.lower_cut = ttbcr_q.t0sz;
  assign regime_o.upper_cut = ttbcr_q.eae ? ttbcr_q.t1sz : 3'd0;
  assign regime_o.lower     = {ttbcr_q.eae ? ttbcr_q.epd0 : ttbcr_q.pd0,
                               aligned(ttbr0_q.base & base_mask, lower_index_bits, ttbcr_q.eae),
                               ttbcr_q.eae ? long_start_level(ttbcr_q.t0sz) : 2'd1,
                               lower_index_bits};
  assign regime_o.upper     = {ttbcr_q.eae ? ttbcr_q.epd1 : ttbcr_q.pd1,
                               aligned(ttbr1_q.base & base_mask, upper_index_bits, ttbcr_q.eae),
                               ttbcr_q.eae ? long_start_level(ttbcr_q.t1sz) : 2'd1,
                               upper_index_bits};

  // ---- the stage-2 root -------------------------------------------------------------------------

  // B3.6.2 and B4.1.160: T0SZ is signed. A start at level 1 takes IPAs of 31 to 40 bits, one at
  // level 2 those of 25 to 34 (up to 16 concatenated tables); anything else is inconsistent. VTCR.S
  // is to equal T0SZ[3] and is not looked at.
  logic       stage2_from_level1;
  logic       stage2_consistent;
  logic [5:0] stage2_input_bits;
  logic [3:0] stage2_index_bits;

  assign stage2_from_level1 = vtcr_q.sl0 == 2'd1;
  assign stage2_input_bits  = 6'd32 - {{2{vtcr_q.t0sz[3]}}, vtcr_q.t0sz};
  assign stage2_index_bits  = 4'(stage2_input_bits - (stage2_from_level1 ? 6'd30 : 6'd21));
  assign stage2_consistent  = stage2_from_level1 ? stage2_input_bits >= 6'd31
                                                 : vtcr_q.sl0 == 2'd0 && stage2_input_bits <= 6'd34;

  assign regime_o.stage2_beyond = 15'h7fff << (4'd7 - vtcr_q.t0sz);
  assign regime_o.stage2        = {!stage2_consistent,
                                   aligned(vttbr_q.base, stage2_index_bits, 1'b1),
                                   stage2_from_level1 ? 2'd1 : 2'd2, stage2_index_bits};

endmodule
