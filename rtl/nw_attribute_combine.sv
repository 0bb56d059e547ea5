// SPDX-License-Identifier: Apache-2.0
//
// The attributes of both stages together, DDI 0406C B3.8.5: the stronger type, the weaker
// cacheability, the wider shareability; the allocation hints are those of stage 1.

module nw_attribute_combine (
  input  nw_pkg::attributes_t s1_i,
  input  nw_pkg::attributes_t s2_i,
  output nw_pkg::attributes_t combined_o
);

  // Non-cacheable before write-through before write-back. 0b00RW is write-through, transient.
  function automatic logic [3:0] weaker(input logic [3:0] s1, input logic [3:0] s2);
    if (s1 == 4'h4 || s2 == 4'h4)                            weaker = 4'h4;
    else if (s1[3:2] != 2'b10 && s1[3:2] != 2'b00 && s2[3:2] == 2'b10) weaker = {2'b10, s1[1:0]};
    else                                                     weaker = s1;
  endfunction

  logic [7:0] attr;
  always_comb begin
    if (nw_pkg::is_device(s1_i.attr) && nw_pkg::is_device(s2_i.attr)) begin
      attr = s1_i.attr < s2_i.attr ? s1_i.attr : s2_i.attr;  // Strongly-ordered beats Device
    end else if (nw_pkg::is_device(s1_i.attr)) begin
      attr = s1_i.attr;
    end else if (nw_pkg::is_device(s2_i.attr)) begin
      attr = s2_i.attr;
    end else begin
      attr = {weaker(s1_i.attr[7:4], s2_i.attr[7:4]), weaker(s1_i.attr[3:0], s2_i.attr[3:0])};
    end
  end

  logic [1:0] sh;
  always_comb begin
    if (s1_i.sh == nw_pkg::OUTER_SHAREABLE || s2_i.sh == nw_pkg::OUTER_SHAREABLE) begin
      sh = nw_pkg::OUTER_SHAREABLE;
    end else if (s1_i.sh == nw_pkg::INNER_SHAREABLE || s2_i.sh == nw_pkg::INNER_SHAREABLE) begin
      sh = nw_pkg::INNER_SHAREABLE;
    end else begin
      sh = nw_pkg::NON_SHAREABLE;
    end
  end

  assign combined_o = nw_pkg::settled(attr, sh);

endmodule
