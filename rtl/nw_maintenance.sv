// SPDX-License-Identifier: Apache-2.0
//
// TLB maintenance, DDI 0406C B3.10 and B4.2.2: what each operation drops and where. The operand is
// a VA in bits 31:12 with an ASID in bits 7:0. Nothing is kept longer than the architecture allows;
// a table may go earlier.

module nw_maintenance (
  input  logic          valid_i,
  input  logic [3:0]    operation_i,  // nw_pkg::TLBI_*, ITLBI_*, DTLBI_*
  input  logic [31:0]   operand_i,
  input  logic [7:0]    vmid_i,
  output logic          drops_l1d_o,
  output logic          drops_l1i_o,
  output logic          drops_unified_o,  // L2 and the walk cache: for every operation that is one
  output logic          drops_ipa_cache_o,
  output nw_pkg::drop_t of_tlbs_o,
  output nw_pkg::drop_t of_walk_cache_o,
  output nw_pkg::drop_t of_ipa_cache_o
);

  // Hyp's own operations do nothing, since there is no Hyp regime, nor do numbers that are none.
  logic data_side, instruction_side, by_va, by_asid, by_vmid;
  always_comb begin
    data_side        = 1'b0;
    instruction_side = 1'b0;
    by_va            = 1'b0;
    by_asid          = 1'b0;
    by_vmid          = 1'b1;
    unique case (operation_i)
      nw_pkg::TLBI_ALL:     {data_side, instruction_side} = 2'b11;
      nw_pkg::TLBI_MVA:     {data_side, instruction_side, by_va, by_asid} = 4'b1111;
      nw_pkg::TLBI_ASID:    {data_side, instruction_side, by_asid} = 3'b111;
      nw_pkg::TLBI_MVAA:    {data_side, instruction_side, by_va} = 3'b111;
      nw_pkg::ITLBI_ALL:    instruction_side = 1'b1;
      nw_pkg::ITLBI_MVA:    {instruction_side, by_va, by_asid} = 3'b111;
      nw_pkg::ITLBI_ASID:   {instruction_side, by_asid} = 2'b11;
      nw_pkg::DTLBI_ALL:    data_side = 1'b1;
      nw_pkg::DTLBI_MVA:    {data_side, by_va, by_asid} = 3'b111;
      nw_pkg::DTLBI_ASID:   {data_side, by_asid} = 2'b11;
      nw_pkg::TLBI_ALLNSNH: {data_side, instruction_side, by_vmid} = 3'b110;
      default:              ;
    endcase
  end

  // A unified structure is on both sides. What stage 2 gave goes with everything of a VMID.
  assign drops_l1d_o       = valid_i && data_side;
  assign drops_l1i_o       = valid_i && instruction_side;
  assign drops_unified_o   = valid_i && (data_side || instruction_side);
  assign drops_ipa_cache_o = drops_unified_o && !by_va && !by_asid;

  // By address and ASID, global pages go, too; by ASID alone they stay. A table may serve global
  // pages: by address it goes under every ASID. What stage 2 gave has no ASID and no VA.
  logic [19:0] page;
  logic [7:0]  asid;
  logic        table_by_asid;
  assign page            = operand_i[31:12];
  assign asid            = operand_i[7:0];
  assign table_by_asid   = by_asid && !by_va;
  assign of_tlbs_o       = {by_va, page, by_asid, asid, by_va, by_vmid, vmid_i};
  assign of_walk_cache_o = {by_va, page, table_by_asid, asid, 1'b0, by_vmid, vmid_i};
  assign of_ipa_cache_o  = {1'b0, 20'h00000, 1'b0, 8'h00, 1'b0, by_vmid, vmid_i};

  logic unused_operand;
  assign unused_operand = ^operand_i[11:8];

endmodule
