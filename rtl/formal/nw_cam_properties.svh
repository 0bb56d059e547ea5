// SPDX-License-Identifier: Apache-2.0
//
// What is proved of the CAM beyond its own assertions; included into nw_cam.
//
// The first part holds of the state in every cycle: the stored keys are pairwise distinct. The
// second is a specification by itself: for one arbitrary address under one arbitrary ASID and
// context (in a nested store: and of one arbitrary size) it follows which install, if any, is to
// answer, until that is dropped, overlapped or evicted. Exactly that one answers, with its data.

  always_comb begin
    assume (rst_ni == !$initstate);
    assume (!(install_i && lookup_i));
    assume (install_size_i < 3'(Sizes));
  end

  // -- the state ---------------------------------------------------------------------------------
  logic keys_are_distinct;
  logic keys_are_aligned;

  always_comb begin
    keys_are_distinct = 1'b1;
    keys_are_aligned = 1'b1;
    for (int unsigned a = 0; a < Entries; a++) begin
      if (valid_q[a]) begin
        keys_are_aligned = keys_are_aligned && size_q[a] < 3'(Sizes) &&
            (key_q[a] & ~mask_q[a]) == '0;
      end
      for (int unsigned b = 0; b < a; b++) begin
        if (valid_q[a] && valid_q[b] &&
            ((key_q[a] ^ key_q[b]) & mask_q[a] & mask_q[b]) == '0 &&
            !(Nested && size_q[a] != size_q[b]) &&
            context_q[a] == context_q[b] &&
            (global_q[a] || global_q[b] || asid_q[a] == asid_q[b])) begin
          keys_are_distinct = 1'b0;
        end
      end
    end
  end

  // A mask is that of its entry's size; the sizes one by one, as the function wants them constant.
  logic masks_are_those_of_the_sizes;

  always_comb begin
    masks_are_those_of_the_sizes = 1'b1;
    for (int unsigned way = 0; way < Entries; way++) begin
      for (int unsigned size = 0; size < Sizes; size++) begin
        if (valid_q[way] && size_q[way] == 3'(size) &&
            mask_q[way] != KeyWidth'(nw_pkg::size_key_mask(3'(size)))) begin
          masks_are_those_of_the_sizes = 1'b0;
        end
      end
    end
  end

  // -- one address -------------------------------------------------------------------------------
  (* anyconst *) logic [KeyWidth-1:0] some_key;
  (* anyconst *) logic [7:0]          some_asid;
  (* anyconst *) logic [9:0]          some_context;
  (* anyconst *) logic [2:0]          some_size;    // that answers, where spans nest

  // The install that answers.
  logic                 there_q;
  logic [KeyWidth-1:0]  its_key_q;
  logic [KeyWidth-1:0]  its_mask_q;
  logic [2:0]           its_size_q;
  logic [7:0]           its_asid_q;
  logic                 its_global_q;
  logic [DataWidth-1:0] its_data_q;
  logic [7:0]           its_way_q;

  logic answers;        // the entry being installed will
  logic overlaps;       // the entry being installed overlaps the one that answers now
  logic goes;           // the one that answers now is dropped

  assign answers = install_i && ((install_key_i ^ some_key) & install_mask) == '0 &&
      install_context_i == some_context && (install_global_i || install_asid_i == some_asid) &&
      (!Nested || install_size_i == some_size);
  assign overlaps = install_i && install_context_i == some_context &&
      ((install_key_i ^ its_key_q) & install_mask & its_mask_q) == '0 &&
      (install_global_i || its_global_q || install_asid_i == its_asid_q) &&
      (!Nested || install_size_i == its_size_q);
  assign goes = drop_i &&
      (!drop_by_key_i || ((drop_key_i ^ its_key_q) & its_mask_q) == '0) &&
      (!drop_by_vmid_i || drop_vmid_i == some_context[7:0]) &&
      (!drop_by_asid_i || (its_global_q && drop_globals_i) ||
       (!its_global_q && drop_asid_i == its_asid_q));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      there_q <= 1'b0;
    end else begin
      there_q <= answers || (there_q && !goes && !overlaps &&
                             !(install_evict_o && install_way_o == its_way_q));
    end
  end

  always_ff @(posedge clk_i) begin
    if (answers) begin
      its_key_q    <= install_key_i & install_mask;
      its_mask_q   <= install_mask;
      its_size_q   <= install_size_i;
      its_asid_q   <= install_asid_i;
      its_global_q <= install_global_i;
      its_data_q   <= install_data_i;
      its_way_q    <= install_way_o;
    end
  end

  // The ways whose entry covers the address.
  logic [Entries-1:0] covering;
  logic               is_kept;     // where there is one: in its way, as it was installed
  logic [2:0]         smallest;    // of the sizes that match a lookup

  always_comb begin
    is_kept = 1'b0;
    for (int unsigned way = 0; way < Entries; way++) begin
      covering[way] = valid_q[way] && ((key_q[way] ^ some_key) & mask_q[way]) == '0 &&
          context_q[way] == some_context && (global_q[way] || asid_q[way] == some_asid) &&
          (!Nested || size_q[way] == some_size);
      if (valid_q[way] && 8'(way) == its_way_q && key_q[way] == its_key_q &&
          mask_q[way] == its_mask_q && size_q[way] == its_size_q &&
          asid_q[way] == its_asid_q && global_q[way] == its_global_q &&
          data_q[way] == its_data_q && context_q[way] == some_context) begin
        is_kept = 1'b1;
      end
    end
  end

  always_comb begin
    smallest = '1;
    for (int unsigned way = 0; way < Entries; way++) begin
      if (matching[way] && size_q[way] < smallest) begin
        smallest = size_q[way];
      end
    end
  end

  logic looked_up;      // the address, and it is not dropped meanwhile

  assign looked_up = lookup_i && lookup_key_i == some_key && lookup_asid_i == some_asid &&
      lookup_context_i == some_context && !Nested;

  always_ff @(posedge clk_i) begin
    stored_keys_are_pairwise_distinct: assert (keys_are_distinct);
    stored_keys_are_aligned: assert (keys_are_aligned);
    stored_masks_are_those_of_the_sizes: assert (masks_are_those_of_the_sizes);

    what_answers_is_kept: assert (!there_q || is_kept);
    nothing_else_answers:
      assert (covering == (there_q ? Entries'(1) << its_way_q : '0));
    a_lookup_gives_what_answers:
      assert (!looked_up || (hit_o == (there_q && !goes) &&
              (!hit_o || (hit_way_o == its_way_q && hit_size_o == its_size_q &&
                          hit_data_o == its_data_q))));
    the_smallest_span_answers: assert (!hit_o || hit_size_o == smallest);
    a_valid_entry_goes_only_when_all_stay:
      assert (!install_evict_o || (&(valid_q & staying)));

    an_entry_among_others_answers: cover (lookup_i && hit_o && there_q && hit_way_o == its_way_q &&
                                          &valid_q);
    an_install_evicts: cover (install_evict_o);
    an_install_drops_an_entry: cover (install_i && kept == valid_q && staying != kept);
    a_drop_spares_an_entry: cover (drop_i && kept != '0 && kept != valid_q);
  end
