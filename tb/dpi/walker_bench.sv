// SPDX-License-Identifier: Apache-2.0
//
// An example of a bench that has the C core for its golden model: random tables, random VAs, and the
// design's every descriptor read and every result compared with the model's. It ends at the first
// difference.
//
// +wrong runs it on the walker that is wrong; +walks=N, +seed=N.

module walker_bench #(
  parameter bit Wrong = 1'b0
);

  localparam logic [31:0] Root = 32'h0000_4000;      // a table of 4096 words
  localparam logic [31:0] Tables = 32'h0000_8000;    // eight of 256 words
  localparam int unsigned Words = 'h2800;            // of memory, from address 0
  localparam logic [63:0] SctlrM = 64'h1;            // stage 1 on
  localparam logic [63:0] Managers = 64'hffff_ffff;  // DACR: nothing is denied

  // -- the design, and its clock -------------------------------------------------------------------
  logic        clk = 1'b0;
  logic        rst_n = 1'b0;
  logic        start = 1'b0;
  logic        answer = 1'b0;
  logic [31:0] va = '0;
  logic [31:0] data = '0;
  logic        done, faults, read;
  logic [1:0]  level;
  logic [31:0] pa, address;

  small_walker #(
    .Wrong(Wrong)
  ) u_walker (
    .clk_i    (clk),
    .rst_ni   (rst_n),
    .ttbr_i   (Root[31:14]),
    .start_i  (start),
    .va_i     (va),
    .done_o   (done),
    .faults_o (faults),
    .level_o  (level),
    .pa_o     (pa),
    .read_o   (read),
    .address_o(address),
    .answer_i (answer),
    .data_i   (data)
  );

  // -- memory ----------------------------------------------------------------------------------------
  logic [31:0] memory [Words];

  // A table descriptor to one of the eight, a section, or nothing; no supersections (bit 18).
  function automatic logic [31:0] random_level1();
    unique case ($urandom_range(3))
      0:       return $urandom() & 32'hffff_fffc;
      1:       return ($urandom() & 32'hfffb_fffc) | 32'h2;
      default: return (Tables + 32'h400 * $urandom_range(7)) | 32'h1;
    endcase
  endfunction

  task automatic fill_memory();
    for (int unsigned i = 0; i < 4096; i++) memory[Root / 4 + i] = random_level1();
    for (int unsigned i = 0; i < 2048; i++) memory[Tables / 4 + i] = $urandom();
  endtask

  // -- the golden model ------------------------------------------------------------------------------
  chandle      golden;
  int unsigned walks, reads;

  // What the golden model refuses is a mistake of the bench.
  task automatic must(input bit does, input string what);
    if (!does) $fatal(1, "the golden model does not %s", what);
  endtask

  task automatic create_golden();
    golden = nw_golden_pkg::nw_golden_create("armv7-short", 0, 0, 0, 0);
    must(golden != null, "come to be");
    must(nw_golden_pkg::nw_golden_write_register(golden, "TTBR0", 64'(Root)), "take TTBR0");
    must(nw_golden_pkg::nw_golden_write_register(golden, "DACR", Managers), "take DACR");
    must(nw_golden_pkg::nw_golden_write_register(golden, "SCTLR", SctlrM), "take SCTLR");
  endtask

  task automatic differ(input string what, input logic [31:0] found, input logic [31:0] expected);
    $display("walk %0d, VA 0x%08x: %s: found 0x%0x, the golden model has 0x%0x", walks, va, what,
             found, expected);
    $fatal(1, "the walker differs from the golden model");
  endtask

  // -- one walk --------------------------------------------------------------------------------------

  // The design's read is the model's; both get the same word, the design after a few cycles.
  task automatic compare_read();
    nw_golden_pkg::read_t expected;
    if (!nw_golden_pkg::next_read(golden, expected)) differ("a read too many", address, '0);
    if (address != expected.address[31:0]) begin
      differ($sformatf("level %0d descriptor's address", expected.level), address,
             expected.address[31:0]);
    end
    repeat ($urandom_range(3)) @(negedge clk);
    data = memory[address / 4];
    answer = 1'b1;
    must(nw_golden_pkg::nw_golden_answer(golden, 64'(data), 1'b0, 0), "wait for an answer");
    @(negedge clk);
    answer = 1'b0;
    reads++;
  endtask

  task automatic compare_result();
    nw_golden_pkg::read_t   missing;
    nw_golden_pkg::result_t expected;
    if (nw_golden_pkg::next_read(golden, missing)) begin
      differ("a read too few, of address", '0, missing.address[31:0]);
    end
    expected = nw_golden_pkg::result(golden);
    if (faults != (expected.fault.kind != 0)) begin
      differ({"fault, ", nw_golden_pkg::nw_golden_fault_name(expected.fault.kind)},
             32'(faults), 32'(expected.fault.kind != 0));
    end
    if (faults && 32'(level) != expected.fault.level) begin
      differ("level of the fault", 32'(level), expected.fault.level);
    end
    if (!faults && pa != expected.pa[31:0]) begin
      differ($sformatf("PA in a page of 2^%0d bytes", expected.page_log2), pa, expected.pa[31:0]);
    end
  endtask

  task automatic walk();
    va = $urandom();
    start = 1'b1;
    must(nw_golden_pkg::nw_golden_request(golden, 64'(va), nw_golden_pkg::READ, 1'b1),
         "take a request");
    @(negedge clk);
    start = 1'b0;
    while (!done) begin
      if (read) compare_read();
      else @(negedge clk);
    end
    compare_result();
    @(negedge clk);
    walks++;
  endtask

  // -- all of them -----------------------------------------------------------------------------------
  task automatic run();
    int unsigned count = 2000, seed = 1;
    void'($value$plusargs("walks=%d", count));
    void'($value$plusargs("seed=%d", seed));
    void'($urandom(seed));
    fill_memory();
    create_golden();
    @(negedge clk);
    rst_n = 1'b1;
    while (walks < count) walk();
    nw_golden_pkg::nw_golden_destroy(golden);
    $display("no difference: %0d walks, %0d descriptor reads", walks, reads);
    $finish;
  endtask

  initial if (1'($test$plusargs("wrong")) == Wrong) run();
  always #5 clk = !clk;

endmodule

// The bench on both walkers; a plusarg says which of the two runs.
module walker_benches;
  walker_bench #(.Wrong(1'b0)) u_right ();
  walker_bench #(.Wrong(1'b1)) u_wrong ();
endmodule
