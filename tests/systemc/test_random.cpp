/* SPDX-License-Identifier: Apache-2.0 */
/* Random traffic through the TLM-2.0 module over the C model gives what nw_mmu_translate() gives. */
#include "systemc/random_traffic.h"

namespace {

using namespace test;

constexpr unsigned rounds = 3;
std::unique_ptr<bench> benches[ARM_REGIMES];

void one_by_one_by_b_transport_it_is_the_model(void **) {
  std::uint64_t seed = rig_seed("b_transport", 20250713);

  for (auto &b : benches)
    for (unsigned round = 0; round < rounds; round++)
      compare_one_by_one(*b, tables_random(&seed), 1500, transport::blocking, true);
}

void one_by_one_by_nb_transport_it_is_the_model(void **) {
  std::uint64_t seed = rig_seed("nb_transport", 20250714);

  for (auto &b : benches)
    for (unsigned round = 0; round < rounds; round++)
      compare_one_by_one(*b, tables_random(&seed), 500, transport::phases, true);
}

void in_flight_every_request_has_the_outcome_of_a_walk(void **) {
  std::uint64_t seed = rig_seed("in flight", 20250715);

  for (auto &b : benches)
    for (unsigned round = 0; round < rounds; round++)
      compare_in_flight(*b, tables_random(&seed), 150);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(one_by_one_by_b_transport_it_is_the_model),
    cmocka_unit_test(one_by_one_by_nb_transport_it_is_the_model),
    cmocka_unit_test(in_flight_every_request_has_the_outcome_of_a_walk),
};

nw_tlb_config set_associative(unsigned entries, unsigned ways, unsigned latency) {
  return {entries, ways, latency, NW_POLICY_TREE_PLRU};
}

/* Small structures, so that all of them evict, and costs that differ from one another. */
options how_to_make(unsigned kind) {
  options how(static_cast<nw_regime_kind>(kind));

  how.config.l1d = rig_cam(kind % 2 == 0 ? 6 : 0);
  how.config.l1i = rig_cam(5);
  how.config.l2 = set_associative(16, 4, 3);
  how.config.walk_cache = rig_cam(kind < 2 ? 4 : 0);
  how.config.ipa_cache = set_associative(8, 4, 1);
  how.config.walkers = 1 + kind % 3;
  how.config.cycles = {2, 3, 2, 1, 1, 1, 2};
  return how;
}

} // namespace

int sc_main(int, char **) {
  for (unsigned kind = 0; kind < ARM_REGIMES; kind++)
    benches[kind] = std::make_unique<bench>(nw_regime_name(static_cast<nw_regime_kind>(kind)),
                                            how_to_make(kind));
  const int failed = run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
  for (auto &b : benches)
    b.reset();
  return failed;
}
