// SPDX-License-Identifier: Apache-2.0
//
// Who may do what: DDI 0406C B3.7 (AP, XN and PXN, WXN and UWXN, domains; HAP for stage 2). The
// walk judges each leaf here and the MMU each TLB hit, so that both say the same.

module nw_permission (
  input  logic            long_i,               // long descriptors: no domains
  input  logic            access_flag_in_ap_i,  // SCTLR.AFE, with short descriptors
  input  logic            wxn_i,
  input  logic            uwxn_i,
  input  logic [31:0]     dacr_i,
  input  nw_pkg::rights_t rights_i,
  input  logic [1:0]      access_i,
  input  logic            privileged_i,
  output logic [3:0]      stage1_fault_o,  // nw_pkg::FAULT_*
  output logic            stage2_allows_o
);

  // Table B3-8: data access by AP[2:0]; 0b100 is reserved: no access. With SCTLR.AFE set, and for
  // long descriptors, AP[0] is 1 where there is access, which gives what tables B3-9 and B3-15 say.
  logic privileged_reads, privileged_writes, user_reads, user_writes;
  assign privileged_reads  = rights_i.ap[1:0] != 2'b00;
  assign privileged_writes = privileged_reads && !rights_i.ap[2];
  assign user_reads        = rights_i.ap[1];
  assign user_writes       = rights_i.ap == 3'b011;

  // B3.7.2: execution needs the right to read and no execute-never that applies.
  logic privileged_executes, user_executes;
  assign user_executes       = user_reads && !rights_i.xn && !(wxn_i && user_writes);
  assign privileged_executes = privileged_reads && !rights_i.xn && !rights_i.pxn &&
                               !(wxn_i && privileged_writes) && !(uwxn_i && user_writes);

  logic stage1_allows;
  always_comb begin
    unique case (access_i)
      nw_pkg::READ: begin
        stage1_allows   = privileged_i ? privileged_reads : user_reads;
        stage2_allows_o = rights_i.stage2[0];
      end
      nw_pkg::WRITE: begin
        stage1_allows   = privileged_i ? privileged_writes : user_writes;
        stage2_allows_o = rights_i.stage2[1];
      end
      default: begin
        stage1_allows   = privileged_i ? privileged_executes : user_executes;
        stage2_allows_o = rights_i.stage2[2];
      end
    endcase
  end

  // B3.7.4: 0b01 is a client, 0b11 a manager, whose accesses are not checked. 0b10 is reserved and
  // gives no access, as 0b00.
  logic [1:0] domain_access;
  assign domain_access = 2'(dacr_i >> {rights_i.domain, 1'b0});

  // The access flag comes before the domain, the domain before the permission (B3.12.6).
  always_comb begin
    if (rights_i.stage1_off) begin
      stage1_fault_o = nw_pkg::FAULT_NONE;
    end else if (access_flag_in_ap_i && !rights_i.ap[0]) begin
      stage1_fault_o = nw_pkg::FAULT_ACCESS_FLAG;
    end else if (!long_i && domain_access == 2'b11) begin
      stage1_fault_o = nw_pkg::FAULT_NONE;
    end else if (!long_i && domain_access != 2'b01) begin
      stage1_fault_o = nw_pkg::FAULT_DOMAIN;
    end else begin
      stage1_fault_o = stage1_allows ? nw_pkg::FAULT_NONE : nw_pkg::FAULT_PERMISSION;
    end
  end

endmodule
