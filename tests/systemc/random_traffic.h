/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random traffic through a bench's module, between random changes of tables and registers with the
 * maintenance that they need, compared with the C model request by request.
 */
#ifndef NESTWALK_TESTS_SYSTEMC_RANDOM_TRAFFIC_H
#define NESTWALK_TESTS_SYSTEMC_RANDOM_TRAFFIC_H

#include "systemc/bench.h"

namespace test {

enum class transport { blocking, phases };

/** One request at a time: each has the address, the fault and the cycles that nw_mmu_translate()
 * gives, and at the end both have counted the same (`all_counts`: in every field of the statistics,
 * else in those that rtl_mmu has). */
void compare_one_by_one(bench &b, std::uint64_t seed, unsigned operations, transport by,
                        bool all_counts);

/** Many requests in flight, every form of the protocol on every socket, random latencies: each has
 * the outcome that a walk of the tables gives, and all bytes are where they belong. */
void compare_in_flight(bench &b, std::uint64_t seed, unsigned batches);

} // namespace test
#endif
