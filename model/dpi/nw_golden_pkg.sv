// SPDX-License-Identifier: Apache-2.0
//
// The C core as a golden model for any bench in SystemVerilog, by DPI-C (libnestwalk-dpi).
//
//   chandle golden = nw_golden_pkg::nw_golden_create("armv7-short+s2", 16, 0, 8, 8);
//   ok = nw_golden_pkg::nw_golden_write_register(golden, "TTBR0", 64'h4000);
//   ...
//   ok = nw_golden_pkg::nw_golden_request(golden, va, nw_golden_pkg::READ, 1'b1);
//   while (nw_golden_pkg::next_read(golden, read)) begin
//     // compare `read` with what the design reads, then answer both from the bench's memory
//     ok = nw_golden_pkg::nw_golden_answer(golden, data, 1'b0, latency);
//   end
//   expected = nw_golden_pkg::result(golden);
//
// The model has no memory: whoever asks answers each descriptor read, with what the design was
// answered. It keeps TLBs and walk caches of as many entries as it was made with, fully associative,
// true LRU; a model with none walks for every request. A request is taken to its end before the next.

package nw_golden_pkg;

  typedef enum int unsigned {READ = 0, WRITE = 1, EXECUTE = 2} access_e;

  // A descriptor read. Levels are those of the manual.
  typedef struct packed {
    longint unsigned address;
    int unsigned     size;      // bytes: 4 or 8
    int unsigned     stage;     // whose descriptor
    int unsigned     level;
    bit              for_s1;    // stage 2: to reach a stage-1 descriptor,
    int unsigned     s1_level;  // of this level; else 0
  } read_t;

  // Why there is no translation.
  typedef struct packed {
    int unsigned     kind;    // nw_golden_fault_name() names it; 0: none, and all of this is 0
    int unsigned     stage;
    int unsigned     level;
    bit              s1walk;  // stage 2, on the access to a stage-1 descriptor
    int unsigned     domain;  // short descriptors, where the walk had got to know it
    longint unsigned ipa;     // stage 2: what failed, offset included
  } fault_t;

  typedef struct packed {
    fault_t          fault;         // with one, the translation's fields are 0
    longint unsigned pa;
    int unsigned     rights;        // of the leaf, raw
    int unsigned     page_log2;     // of the smaller stage's page
    int unsigned     s1_page_log2;  // 0: this stage is off
    int unsigned     s2_page_log2;
    int unsigned     attr;          // as a byte of MAIR
    int unsigned     sh;            // 0 not, 2 outer, 3 inner shareable
    int unsigned     source;        // 0 a walk, 1 level-1 TLB, 2 level-2 TLB
    int unsigned     cycles;        // sum of the answers' cycles
  } result_t;

  // A model in reset state. Regimes: armv7-short, armv7-lpae, armv7-short+s2, armv7-lpae+s2. null,
  // with a message on standard error, when it cannot be.
  import "DPI-C" function chandle nw_golden_create(
      input string regime, input int unsigned l1_entries, input int unsigned l2_entries,
      input int unsigned walk_cache_entries, input int unsigned ipa_cache_entries);
  import "DPI-C" function void nw_golden_destroy(input chandle golden);

  // Names are the architecture's: SCTLR, TTBR0; TLBIALL, TLBIMVA, with the operand as the
  // architecture has it. 0: there is no such register or operation, or the regime refuses the value.
  import "DPI-C" function bit nw_golden_write_register(
      input chandle golden, input string name, input longint unsigned value);
  import "DPI-C" function bit nw_golden_invalidate(
      input chandle golden, input string name, input longint unsigned operand);

  // Begins a request. 0: there is one in hand, or no such access.
  import "DPI-C" function bit nw_golden_request(
      input chandle golden, input longint unsigned va, input int unsigned access,
      input bit privileged);

  // The read that the request in hand waits for; asked again, the same one. 0: it is at its end.
  import "DPI-C" function bit nw_golden_read(
      input chandle golden, output longint unsigned address, output int unsigned size,
      output int unsigned stage, output int unsigned level, output bit for_s1,
      output int unsigned s1_level);
  // Answers it, `size` bytes in the low end of `data`, little-endian; or refuses it, an external
  // abort. 0: none waits.
  import "DPI-C" function bit nw_golden_answer(
      input chandle golden, input longint unsigned data, input bit refused,
      input int unsigned cycles);

  // Of the request that ended last.
  import "DPI-C" function void nw_golden_translation(
      input chandle golden, output longint unsigned pa, output int unsigned rights,
      output int unsigned page_log2, output int unsigned s1_page_log2,
      output int unsigned s2_page_log2, output int unsigned attr, output int unsigned sh,
      output int unsigned source, output int unsigned cycles);
  import "DPI-C" function int unsigned nw_golden_fault(
      input chandle golden, output int unsigned stage, output int unsigned level,
      output bit s1walk, output int unsigned domain, output longint unsigned ipa);
  import "DPI-C" function string nw_golden_fault_name(input int unsigned fault);

  // -- the same as structs -------------------------------------------------------------------------

  function automatic bit next_read(input chandle golden, output read_t read);
    longint unsigned address;
    int unsigned     size, stage, level, s1_level;
    bit              for_s1, waits;
    waits = nw_golden_read(golden, address, size, stage, level, for_s1, s1_level);
    read = {address, size, stage, level, for_s1, s1_level};
    return waits;
  endfunction

  function automatic fault_t fault(input chandle golden);
    longint unsigned ipa;
    int unsigned     kind, stage, level, domain;
    bit              s1walk;
    kind = nw_golden_fault(golden, stage, level, s1walk, domain, ipa);
    return {kind, stage, level, s1walk, domain, ipa};
  endfunction

  function automatic result_t result(input chandle golden);
    longint unsigned pa;
    int unsigned     rights, page_log2, s1_page_log2, s2_page_log2, attr, sh, source, cycles;
    nw_golden_translation(golden, pa, rights, page_log2, s1_page_log2, s2_page_log2, attr, sh,
                          source, cycles);
    return {fault(golden), pa, rights, page_log2, s1_page_log2, s2_page_log2, attr, sh, source,
            cycles};
  endfunction

endpackage
