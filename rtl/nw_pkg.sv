// SPDX-License-Identifier: Apache-2.0
//
// The words of the MMU: numbers that the outside sees, types that its parts share, and the few
// functions on them that more than one part needs. Numbers equal those of the C core's enums
// (nestwalk/types.h, regime.h, mmu.h), so that both can be compared without a table in between.
//
// DDI 0406C is the ARM Architecture Reference Manual, ARMv7-A and ARMv7-R edition.

package nw_pkg;

  // Each part uses some of these.
  // verilator lint_off UNUSEDPARAM

  localparam int unsigned VA_WIDTH = 32;
  localparam int unsigned PA_WIDTH = 40;  // of an IPA, too
  localparam int unsigned PAGE_BITS = 12;  // the smallest page
  localparam int unsigned VA_KEY_WIDTH = VA_WIDTH - PAGE_BITS;
  localparam int unsigned IPA_KEY_WIDTH = PA_WIDTH - PAGE_BITS;

  // ---- requests ---------------------------------------------------------------------------------

  localparam logic [1:0] READ = 2'd0;
  localparam logic [1:0] WRITE = 2'd1;
  localparam logic [1:0] EXECUTE = 2'd2;  // an instruction fetch

  // ---- results ----------------------------------------------------------------------------------

  localparam logic [3:0] FAULT_NONE = 4'd0;
  localparam logic [3:0] FAULT_TRANSLATION = 4'd1;
  localparam logic [3:0] FAULT_ACCESS_FLAG = 4'd2;
  localparam logic [3:0] FAULT_DOMAIN = 4'd3;
  localparam logic [3:0] FAULT_PERMISSION = 4'd4;
  localparam logic [3:0] FAULT_EXTERNAL_ABORT = 4'd6;

  localparam logic [1:0] FROM_WALK = 2'd0;
  localparam logic [1:0] FROM_L1 = 2'd1;
  localparam logic [1:0] FROM_L2 = 2'd2;

  // ---- the control port -------------------------------------------------------------------------

  localparam logic [3:0] REG_HCR = 4'd0;
  localparam logic [3:0] REG_VTCR = 4'd1;
  localparam logic [3:0] REG_VTTBR = 4'd2;  // 64 bits
  localparam logic [3:0] REG_TTBCR = 4'd3;
  localparam logic [3:0] REG_TTBR0 = 4'd4;  // 64 bits
  localparam logic [3:0] REG_TTBR1 = 4'd5;  // 64 bits
  localparam logic [3:0] REG_DACR = 4'd6;
  localparam logic [3:0] REG_SCTLR = 4'd7;
  localparam logic [3:0] REG_PRRR_MAIR0 = 4'd8;
  localparam logic [3:0] REG_NMRR_MAIR1 = 4'd9;
  localparam logic [3:0] REG_CONTEXTIDR = 4'd10;

  localparam logic [3:0] TLBI_ALL = 4'd0;
  localparam logic [3:0] TLBI_MVA = 4'd1;
  localparam logic [3:0] TLBI_ASID = 4'd2;
  localparam logic [3:0] TLBI_MVAA = 4'd3;
  localparam logic [3:0] ITLBI_ALL = 4'd4;
  localparam logic [3:0] ITLBI_MVA = 4'd5;
  localparam logic [3:0] ITLBI_ASID = 4'd6;
  localparam logic [3:0] DTLBI_ALL = 4'd7;
  localparam logic [3:0] DTLBI_MVA = 4'd8;
  localparam logic [3:0] DTLBI_ASID = 4'd9;
  localparam logic [3:0] TLBI_ALLNSNH = 4'd10;
  localparam logic [3:0] TLBI_ALLH = 4'd11;  // Hyp's own entries: there are none
  localparam logic [3:0] TLBI_MVAH = 4'd12;

  // ---- structures, in the order of the obs_* ports ----------------------------------------------

  localparam int unsigned L1D = 0;
  localparam int unsigned L1I = 1;
  localparam int unsigned L2 = 2;
  localparam int unsigned WALK_CACHE = 3;
  localparam int unsigned IPA_CACHE = 4;

  // What the MMU does; one state a cycle. The walker's begin at StBegin.
  typedef enum logic [3:0] {
    StIdle            = 4'd0,
    StL1              = 4'd1,
    StL2              = 4'd2,
    StBegin           = 4'd3,   // choose the root
    StWalkCacheLookup = 4'd4,
    StWalkCacheUse    = 4'd5,
    StIpaCacheLookup  = 4'd6,
    StIpaCacheUse     = 4'd7,
    StIssue           = 4'd8,   // ask memory for a descriptor
    StWait            = 4'd9,
    StDecode          = 4'd10,  // what it means and whether it allows the access
    StAdvance         = 4'd11,  // where that leads
    StFill            = 4'd12,  // one held fill a cycle
    StFinish          = 4'd13   // result and install
  } state_e;

  // ---- page sizes -------------------------------------------------------------------------------

  // Ordered by size, so that the smaller of two stages' pages has the smaller code. "Off" is the
  // size of a stage that is switched off: it limits nothing.
  localparam logic [2:0] SIZE_4K = 3'd0;
  localparam logic [2:0] SIZE_64K = 3'd1;
  localparam logic [2:0] SIZE_1M = 3'd2;
  localparam logic [2:0] SIZE_2M = 3'd3;
  localparam logic [2:0] SIZE_16M = 3'd4;
  localparam logic [2:0] SIZE_1G = 3'd5;
  localparam logic [2:0] SIZE_OFF = 3'd7;

  // log2 of the bytes; 0 for a stage that is off.
  function automatic logic [4:0] size_log2(input logic [2:0] size);
    case (size)
      SIZE_4K:  size_log2 = 5'd12;
      SIZE_64K: size_log2 = 5'd16;
      SIZE_1M:  size_log2 = 5'd20;
      SIZE_2M:  size_log2 = 5'd21;
      SIZE_16M: size_log2 = 5'd24;
      SIZE_1G:  size_log2 = 5'd30;
      default:  size_log2 = 5'd0;
    endcase
  endfunction

  // Bits of an address above the smallest page that number the page: those that are compared. The
  // others are offset. For a VA take the low VA_KEY_WIDTH bits.
  function automatic logic [IPA_KEY_WIDTH-1:0] size_key_mask(input logic [2:0] size);
    case (size)
      SIZE_4K:  size_key_mask = 28'hfffffff;
      SIZE_64K: size_key_mask = 28'hffffff0;
      SIZE_1M:  size_key_mask = 28'hfffff00;
      SIZE_2M:  size_key_mask = 28'hffffe00;
      SIZE_16M: size_key_mask = 28'hffff000;
      SIZE_1G:  size_key_mask = 28'hffc0000;
      default:  size_key_mask = 28'h0000000;
    endcase
  endfunction

  // The smaller of the two stages' pages; the smallest there is where no stage is on.
  function automatic logic [2:0] smaller_size(input logic [2:0] s1_size,
                                              input logic [2:0] s2_size);
    if (s1_size == SIZE_OFF && s2_size == SIZE_OFF) smaller_size = SIZE_4K;
    else smaller_size = s1_size < s2_size ? s1_size : s2_size;
  endfunction

  // `base` with the offset of `address` in a page of the given size: a PA keeps both parts whatever
  // the sizes of the stages.
  function automatic logic [PA_WIDTH-1:0] with_offset(input logic [PA_WIDTH-1:0] base,
                                                      input logic [PA_WIDTH-1:0] address,
                                                      input logic [2:0] size);
    with_offset = base | (address & {~size_key_mask(size), {PAGE_BITS{1'b1}}});
  endfunction

  // ---- memory attributes ------------------------------------------------------------------------

  // One form for all formats: a MAIR-style byte (0x00 Strongly-ordered, 0x04 Device, else an outer
  // and an inner nibble of Normal memory) and the shareability.
  typedef struct packed {
    logic [7:0] attr;
    logic [1:0] sh;
  } attributes_t;

  localparam logic [7:0] STRONGLY_ORDERED = 8'h00;
  localparam logic [7:0] DEVICE = 8'h04;
  localparam logic [7:0] NON_CACHEABLE = 8'h44;
  localparam logic [1:0] NON_SHAREABLE = 2'd0;
  localparam logic [1:0] OUTER_SHAREABLE = 2'd2;
  localparam logic [1:0] INNER_SHAREABLE = 2'd3;

  function automatic logic is_device(input logic [7:0] attr);
    is_device = attr < 8'h10;
  endfunction

  // Device and wholly non-cacheable memory is outer shareable whatever its descriptor says.
  function automatic logic [9:0] settled(input logic [7:0] attr, input logic [1:0] sh);
    settled = {attr, is_device(attr) || attr == NON_CACHEABLE ? OUTER_SHAREABLE : sh};
  endfunction

  // Stage 1 switched off (TranslateAddressVS1Off): data is Strongly-ordered; a fetch is
  // non-cacheable, or write-through with SCTLR.I. HCR.DC makes both Normal write-back.
  function automatic logic [9:0] stage1_off_attributes(input logic default_cacheable,
                                                       input logic instruction_cache,
                                                       input logic [1:0] access);
    if (default_cacheable) stage1_off_attributes = settled(8'hff, NON_SHAREABLE);
    else if (access != EXECUTE) stage1_off_attributes = settled(STRONGLY_ORDERED, NON_SHAREABLE);
    else if (instruction_cache) stage1_off_attributes = settled(8'haa, NON_SHAREABLE);
    else stage1_off_attributes = settled(NON_CACHEABLE, NON_SHAREABLE);
  endfunction

  // ---- rights -----------------------------------------------------------------------------------

  // What a leaf allows, as its format has it; nw_permission.sv judges it.
  typedef struct packed {
    logic [2:0] stage2;      // execute, write, read: index is the access
    logic       stage1_off;  // stage 1 was off: it denies nothing
    logic [3:0] domain;
    logic       pxn;
    logic       xn;
    logic [2:0] ap;          // AP[2:0]; long descriptors: AP[2:1] with AP[0] = 1
  } rights_t;

  localparam int unsigned RIGHTS_WIDTH = 13;

  // The word that goes out: the C core's layout (rights.h). Bits 9 and 19, a clean dirty flag, are
  // never set: ARMv7 hardware updates no descriptor.
  function automatic logic [19:0] rights_word(input logic [RIGHTS_WIDTH-1:0] rights);
    rights_word = {1'b0, rights[12:10], 5'b0, rights[9], 1'b0, rights[8:0]};
  endfunction

  // What stage-1 tables say for the levels below them, accumulated by OR.
  typedef struct packed {
    logic [3:0] domain;  // short descriptors; level 1 alone sets it
    logic       pxn;
    logic       xn;
    logic       read_only;
    logic       no_user;
  } limits_t;

  // ---- where a stage's walk stands --------------------------------------------------------------

  typedef struct packed {
    logic [PA_WIDTH-1:0] base;        // of the table: an IPA in stage 1, a PA in stage 2
    logic [1:0]          level;       // as the manual numbers it
    logic [3:0]          index_bits;  // width of the index into that table
  } position_t;

  typedef struct packed {
    logic      disabled;  // PD0, PD1, EPD0, EPD1, inconsistent VTCR: a level-1 translation fault
    position_t start;
  } root_t;

  // Address of the descriptor that translates the address with these bits 39:12: 4 bytes each if
  // short, 8 if long; stage 2 is always long. A level's descriptors cover 1 MB and 4 KB if short;
  // 1 GB, 2 MB and 4 KB if long. A root's index may be narrower or, with concatenated tables, wider
  // than that of the tables below it.
  function automatic logic [PA_WIDTH-1:0] descriptor_address(
      input logic long_descriptors, input logic [PA_WIDTH-1:0] base, input logic [1:0] level,
      input logic [3:0] index_bits, input logic [IPA_KEY_WIDTH-1:0] page);
    logic [12:0] index;
    case ({long_descriptors, level})
      {1'b0, 2'd1}: index = {1'b0, page[19:8]};
      {1'b1, 2'd1}: index = {3'b0, page[27:18]};
      {1'b1, 2'd2}: index = page[21:9];
      default:      index = {4'b0, page[8:0]};
    endcase
    index = index & ~(13'h1fff << index_bits);
    descriptor_address = base | (long_descriptors ? {24'b0, index, 3'b0} : {25'b0, index, 2'b0});
  endfunction

  // ---- the registers' meaning -------------------------------------------------------------------

  typedef struct packed {
    logic        s1_enabled;         // SCTLR.M, and HCR.DC clear
    logic        s2_enabled;         // HCR.VM or HCR.DC
    logic        long_descriptors;   // TTBCR.EAE
    logic        default_cacheable;  // HCR.DC
    logic        protected_walk;     // HCR.PTW
    logic        big_endian;         // SCTLR.EE: stage-1 descriptors are big-endian
    logic        instruction_cache;  // SCTLR.I
    logic        access_flag_in_ap;  // short descriptors with SCTLR.AFE
    logic        remap;              // short descriptors with SCTLR.TRE
    logic        wxn;                // SCTLR.WXN
    logic        uwxn;               // SCTLR.UWXN
    logic [7:0]  asid;
    logic [7:0]  vmid;
    logic [31:0] dacr;
    logic [31:0] mair0;              // PRRR with short descriptors
    logic [31:0] mair1;              // NMRR with short descriptors
    logic [2:0]  lower_cut;          // TTBR0 covers the first 2^(32 - lower_cut) bytes
    logic [2:0]  upper_cut;          // TTBR1 likewise the last; 0: whatever TTBR0 leaves
    root_t       lower;              // TTBR0
    root_t       upper;              // TTBR1
    root_t       stage2;             // VTTBR
    logic [14:0] stage2_beyond;      // of bits 39:25, those that are 0 in an IPA that VTTBR covers
  } regime_t;

  localparam logic [1:0] ROOT_LOWER = 2'd0;
  localparam logic [1:0] ROOT_UPPER = 2'd1;
  localparam logic [1:0] ROOT_NONE = 2'd2;

  // Which root translates a VA (B3.5.4, B3.6.4): its top seven bits decide.
  function automatic logic [1:0] stage1_root(input logic [6:0] va_top, input logic [2:0] lower_cut,
                                             input logic [2:0] upper_cut);
    logic zeros;
    logic ones;
    zeros = (va_top & ~(7'h7f >> lower_cut)) == 7'h00;
    ones = (va_top | (7'h7f >> upper_cut)) == 7'h7f;
    if (upper_cut != 3'd0 && ones) stage1_root = ROOT_UPPER;
    else if (zeros) stage1_root = ROOT_LOWER;
    else stage1_root = upper_cut != 3'd0 ? ROOT_NONE : ROOT_UPPER;
  endfunction

  // ---- what a descriptor says -------------------------------------------------------------------

  localparam logic [1:0] KIND_INVALID = 2'd0;
  localparam logic [1:0] KIND_TABLE = 2'd1;
  localparam logic [1:0] KIND_LEAF = 2'd2;

  typedef struct packed {
    logic [1:0]          kind;
    logic [PA_WIDTH-1:0] base;               // table: the next one; leaf: the page
    logic [2:0]          size;               // leaf
    limits_t             limits;             // stage-1 table
    rights_t             rights;             // leaf
    attributes_t         attributes;         // leaf
    logic                global;             // stage-1 leaf: for every ASID
    logic                access_flag_clear;  // leaf: an access flag fault
  } descriptor_t;

  // ---- what is kept -----------------------------------------------------------------------------

  // L1 and L2: the page's address is the address of the entry's first byte.
  typedef struct packed {
    logic                     global;
    logic [2:0]               s1_size;
    logic [2:0]               s2_size;
    attributes_t              attributes;
    rights_t                  rights;
    logic [IPA_KEY_WIDTH-1:0] page;
  } tlb_data_t;

  localparam int unsigned TLB_DATA_WIDTH = 58;

  // Walk cache: the next table and what has been gathered on the way to it.
  typedef struct packed {
    logic [29:0] base;  // bits 39:10: a table has at least 1 KB
    limits_t     limits;
    logic [1:0]  level;
  } walk_data_t;

  localparam int unsigned WALK_DATA_WIDTH = 40;

  // IPA cache. Its leaf's level follows from the size.
  typedef struct packed {
    logic [IPA_KEY_WIDTH-1:0] page;
    logic [2:0]               rights;
    attributes_t              attributes;
  } ipa_data_t;

  localparam int unsigned IPA_DATA_WIDTH = 41;

  // A walk-cache or IPA-cache fill, held until its walk has ended well.
  typedef struct packed {
    logic                      ipa_cache;  // else the walk cache
    logic [IPA_KEY_WIDTH-1:0]  key;
    logic [2:0]                size;
    logic [IPA_DATA_WIDTH-1:0] data;
  } fill_t;

  localparam int unsigned FILL_WIDTH = 73;
  // Two tables of a long walk; the stage-2 leaves of three descriptors and of the page.
  localparam int unsigned MOST_FILLS = 6;

  // What a maintenance operation drops: entries for which every condition that is set holds.
  typedef struct packed {
    logic                    by_key;   // it covers the key's page
    logic [VA_KEY_WIDTH-1:0] key;
    logic                    by_asid;  // it is of the ASID
    logic [7:0]              asid;
    logic                    globals;  // with by_asid: or is for every ASID
    logic                    by_vmid;  // it is of the VMID
    logic [7:0]              vmid;
  } drop_t;

  // ---- how a walk ends --------------------------------------------------------------------------

  typedef struct packed {
    logic [3:0] kind;    // FAULT_*
    logic [1:0] stage;
    logic [1:0] level;
    logic       s1walk;  // stage 2, on the descriptor access of a stage-1 walk
    logic [3:0] domain;
  } fault_t;

  typedef struct packed {
    fault_t              fault;       // fault.kind is FAULT_NONE: the rest is a translation
    logic [PA_WIDTH-1:0] fault_ipa;   // stage 2
    logic [PA_WIDTH-1:0] pa;
    rights_t             rights;
    attributes_t         attributes;
    logic [2:0]          s1_size;
    logic [2:0]          s2_size;
    logic [2:0]          page_size;   // the smaller
    logic [2:0]          entry_size;  // what a TLB may keep of it
    logic                global;
  } walk_result_t;

  // ---- what the requester gets ------------------------------------------------------------------

  typedef struct packed {
    logic [PA_WIDTH-1:0] pa;
    rights_t             rights;
    logic [2:0]          page_size;
    logic [2:0]          s1_size;
    logic [2:0]          s2_size;
    attributes_t         attributes;
    logic [1:0]          source;  // FROM_*
    fault_t              fault;
    logic [PA_WIDTH-1:0] ipa;
  } response_t;

  // verilator lint_on UNUSEDPARAM

endpackage
