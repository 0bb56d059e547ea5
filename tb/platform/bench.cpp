/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: accesses a second of one and the same initiator, bound to a memory directly and through
 * the MMU, loosely timed and by direct memory. Goals are printed with the results and are not
 * enforced.
 *
 * The accesses go over 32 pages in turn, which the level-1 TLB holds: what is measured is the way
 * through the module, not walks. The four are measured in turn, several times, in one simulation.
 */
#include <systemc>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <nestwalk/systemc/mmu.h>

#include "platform/core.h"
#include "platform/memory.h"

namespace {

using namespace nestwalk::tb;
using sc_core::sc_time;

constexpr unsigned pages = 32, page_bytes = 4096;
constexpr unsigned accesses = 400000, repetitions = 9;
constexpr std::uint64_t memory_bytes = 1 << 20, root = 0x4000, table = 0x8000, data = 0x40000;

/* The way that an initiator has to memory. */
struct lane {
  const char *name;
  core initiator;
  double best = 0;

  lane(const char *name_, style how) : name(name_), initiator(name_, with(how)) {
  }
  static core_parameters with(style how) {
    core_parameters p;
    p.how = how;
    return p;
  }
};

nestwalk::mmu_parameters short_descriptors() {
  nestwalk::mmu_parameters p;
  p.mmu.regime = NW_REGIME_ARMV7_SHORT;
  return p;
}

class scene : public sc_core::sc_module {
public:
  explicit scene(sc_core::sc_module_name name)
      : sc_module(name), bytes_(memory_bytes), lt_("lt_direct", style::lt),
        lt_mmu_("lt_through_mmu", style::lt), dmi_("dmi_direct", style::lt_dmi),
        dmi_mmu_("dmi_through_mmu", style::lt_dmi), mmu1_("mmu1", short_descriptors()),
        mmu2_("mmu2", short_descriptors()), memory1_("memory1", bytes_, latency()),
        memory2_("memory2", bytes_, latency()), memory3_("memory3", bytes_, latency()),
        memory4_("memory4", bytes_, latency()) {
    lt_.initiator.socket.bind(memory1_.target);
    lt_mmu_.initiator.socket.bind(mmu1_.upstream[0]);
    mmu1_.downstream.bind(memory2_.target);
    dmi_.initiator.socket.bind(memory3_.target);
    dmi_mmu_.initiator.socket.bind(mmu2_.upstream[0]);
    mmu2_.downstream.bind(memory4_.target);
    SC_HAS_PROCESS(scene);
    SC_THREAD(run);
  }

  bool good = true;

private:
  static sc_time latency() {
    return sc_time(30, sc_core::SC_NS);
  }

  /* One megabyte of small pages, each to itself (DDI 0406C B3.5.1). */
  void make_tables() {
    const auto put = [this](std::uint64_t at, std::uint32_t descriptor) {
      std::memcpy(bytes_.at(at), &descriptor, sizeof descriptor);
    };
    put(root, table | 0x1);
    for (unsigned page = 0; page < 256; page++)
      put(table + 4 * page, page * page_bytes | 0x32); /* small page, AP full access, XN clear */
    for (nestwalk::mmu *each : {&mmu1_, &mmu2_}) {
      each->write_register(0, NW_REG_TTBR0, root);
      each->write_register(0, NW_REG_DACR, 0x1);
      each->write_register(0, NW_REG_SCTLR, 0x1);
    }
  }

  void measure(lane &way) {
    const auto begun = std::chrono::steady_clock::now();
    core::access one;
    for (unsigned i = 0; i < accesses; i++) {
      one.va = data + (i % pages) * page_bytes + (i / pages % (page_bytes / 4)) * 4;
      one.kind = i % 3 == 0 ? NW_WRITE : NW_READ;
      good = way.initiator.perform(one) && good;
    }
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begun;
    way.best = std::max(way.best, accesses / lasted.count());
  }

  void run() {
    make_tables();
    for (unsigned i = 0; i < repetitions; i++)
      for (lane *way : {&lt_, &lt_mmu_, &dmi_, &dmi_mmu_})
        measure(*way);
    report("loosely timed", lt_, lt_mmu_, 1.0 / 3);
    report("direct memory", dmi_, dmi_mmu_, 0.8);
    good = good && mmu1_.statistics().walks == pages;
  }

  static void report(const char *what, const lane &direct, const lane &through, double goal) {
    const double share = through.best / direct.best;
    std::printf("%-16s %14.0f %14.0f   %6.2f   %6.2f   %s\n", what, direct.best, through.best,
                share, goal, share >= goal ? "met" : "missed");
  }

  storage bytes_;
  lane lt_, lt_mmu_, dmi_, dmi_mmu_;
  nestwalk::mmu mmu1_, mmu2_;
  ideal_memory memory1_, memory2_, memory3_, memory4_;
};

} // namespace

int sc_main(int, char **) {
  scene all("scene");
  std::printf("%-16s %14s %14s   %6s   %6s\n", "accesses/s", "direct", "through MMU", "share",
              "goal");
  sc_core::sc_start();
  if (!all.good)
    std::fprintf(stderr, "bench: an access failed, or was walked that should have hit\n");
  return all.good ? 0 : 1;
}

int main(int argc, char **argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
