/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory with the timing of DRAM: one channel, one rank, banks whose row stays open after an
 * access (open page), one data bus, refresh. Requests are served in order of arrival.
 *
 * An access of one burst to a bank costs, from the later of its arrival and the bank's being ready:
 *   row hit        the row is open                    tCL + tBURST
 *   row miss       no row is open                     tRCD + tCL + tBURST
 *   row conflict   another row is open         tRP + tRCD + tCL + tBURST, and not before tRAS after
 *                                              the activation, tWR after the last data written
 * and more where the data bus is still taken. Every tREFI all banks are closed and rest for tRFC.
 * Left out: rank and command bus, activation windows (tRRD, tFAW), turnarounds (tWTR, tRTW), power
 * states, reordering.
 *
 * Addresses are row : bank : column from the top, so that neighbouring lines share a row.
 */
#ifndef NESTWALK_TB_DRAM_H
#define NESTWALK_TB_DRAM_H

#include <vector>

#include "platform/memory.h"

namespace nestwalk {
namespace tb {

/* The defaults are those of a DDR3-1600 (11-11-11) DIMM of eight 4 Gbit devices: speed bin 1600K of
 * JEDEC JESD79-3F and the Micron MT41J512M8 data sheet, as gem5's DDR3_1600_8x8 has them. */
struct dram_parameters {
  unsigned banks = 8;             /* a power of two */
  unsigned row_bytes = 8192;      /* of all devices together: 8 x 1 KiB; a power of two */
  unsigned burst_bytes = 64;      /* 8 beats of 64 bits; a power of two */
  double burst_ns = 5;            /* tBURST: 8 beats at 1600 MT/s */
  double cas_ns = 13.75;          /* tCL: column command to data, reads and (estimate) writes */
  double activate_ns = 13.75;     /* tRCD: activation to column command */
  double precharge_ns = 13.75;    /* tRP */
  double row_active_ns = 35;      /* tRAS: activation to precharge */
  double write_recovery_ns = 15;  /* tWR: last data written to precharge */
  double refresh_every_ns = 7800; /* tREFI; 0: no refresh */
  double refresh_ns = 260;        /* tRFC */
  double controller_ns = 20;      /* estimate, gem5's: 10 ns each way through the controller */
};

/** Throws std::invalid_argument where a parameter that has to be a power of two is none. */
void dram_parameters_check(const dram_parameters &parameters);

class dram : public memory {
public:
  /** Throws as dram_parameters_check() does. */
  dram(sc_core::sc_module_name name, storage &storage,
       const dram_parameters &parameters = dram_parameters());

  struct row_counts {
    std::uint64_t hits = 0, misses = 0, conflicts = 0; /* bursts */
    std::uint64_t refreshes = 0; /* seen by an access: those of idle times in a row count once */
  };
  const row_counts &rows() const {
    return rows_;
  }

private:
  struct bank {
    static constexpr std::uint64_t closed = ~std::uint64_t(0);
    std::uint64_t row = closed;
    sc_core::sc_time ready;     /* for the next column command */
    sc_core::sc_time precharge; /* not before */
  };

  sc_core::sc_time finish(const tlm::tlm_generic_payload &request,
                          const sc_core::sc_time &arrival) override;
  sc_core::sc_time dmi_latency(bool write) const override;

  sc_core::sc_time burst(std::uint64_t address, bool write, sc_core::sc_time from);
  sc_core::sc_time after_refresh(const sc_core::sc_time &from);
  sc_core::sc_time open_row(bank &in, std::uint64_t row, sc_core::sc_time from);

  std::uint64_t row_bytes_, burst_bytes_;
  sc_core::sc_time burst_, cas_, activate_, precharge_, row_active_, write_recovery_,
      refresh_every_, refresh_, controller_;
  std::vector<bank> banks_;
  sc_core::sc_time bus_free_;
  std::uint64_t refreshes_due_ = 0; /* at the last access */
  row_counts rows_;
};

} // namespace tb
} // namespace nestwalk

#endif
