// SPDX-License-Identifier: Apache-2.0
//
// A small table walker, the design under test of the example: ARMv7 short descriptors, stage 1
// alone, TTBR0 for all VAs, 1 MB sections, 64 KB and 4 KB pages; it knows of no permissions. With
// `Wrong` it has one fault: it takes the address of a large page from bits 31:12 of its descriptor,
// where bits 15:12 are attributes.

module small_walker #(
  parameter bit Wrong = 1'b0
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic [31:14] ttbr_i,

  input  logic         start_i,     // in a cycle in which it is idle
  input  logic [31:0] va_i,
  output logic        done_o,      // for one cycle, with the result
  output logic        faults_o,    // translation fault
  output logic [1:0]  level_o,     // of the leaf or of the fault
  output logic [31:0] pa_o,

  output logic        read_o,      // held until answered
  output logic [31:0] address_o,
  input  logic        answer_i,
  input  logic [31:0] data_i
);

  typedef enum logic [1:0] {StIdle, StLevel1, StLevel2, StDone} state_e;

  state_e      state_q, state_d;
  logic [31:0] va_q, va_d;
  logic [31:0] address_q, address_d;
  logic [31:0] pa_q, pa_d;
  logic        faults_q, faults_d;
  logic [1:0]  level_q, level_d;

  logic [31:0] large_page;
  assign large_page = Wrong ? {data_i[31:12], va_q[11:0]} : {data_i[31:16], va_q[15:0]};

  always_comb begin
    state_d   = state_q;
    va_d      = va_q;
    address_d = address_q;
    pa_d      = pa_q;
    faults_d  = faults_q;
    level_d   = level_q;
    unique case (state_q)
      StIdle: if (start_i) begin
        state_d   = StLevel1;
        va_d      = va_i;
        address_d = {ttbr_i, va_i[31:20], 2'b00};
      end
      StLevel1: if (answer_i) begin
        state_d   = data_i[1:0] == 2'b01 ? StLevel2 : StDone;
        address_d = {data_i[31:10], va_q[19:12], 2'b00};
        pa_d      = {data_i[31:20], va_q[19:0]};
        faults_d  = data_i[1:0] == 2'b00;
        level_d   = 2'd1;
      end
      StLevel2: if (answer_i) begin
        state_d  = StDone;
        pa_d     = data_i[1] ? {data_i[31:12], va_q[11:0]} : large_page;
        faults_d = data_i[1:0] == 2'b00;
        level_d  = 2'd2;
      end
      default: state_d = StIdle;
    endcase
  end

  logic unused_attributes;
  assign unused_attributes = ^data_i[9:2];

  assign done_o    = state_q == StDone;
  assign faults_o  = faults_q;
  assign level_o   = level_q;
  assign pa_o      = pa_q;
  assign read_o    = state_q == StLevel1 || state_q == StLevel2;
  assign address_o = address_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= StIdle;
      va_q      <= '0;
      address_q <= '0;
      pa_q      <= '0;
      faults_q  <= 1'b0;
      level_q   <= '0;
    end else begin
      state_q   <= state_d;
      va_q      <= va_d;
      address_q <= address_d;
      pa_q      <= pa_d;
      faults_q  <= faults_d;
      level_q   <= level_d;
    end
  end

endmodule
