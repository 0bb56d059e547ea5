/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What translates behind the sockets. The C model and the RTL are driven alike: a translation begins,
 * asks its client for descriptors one after the other, and ends.
 */
#ifndef NESTWALK_SYSTEMC_ENGINE_H
#define NESTWALK_SYSTEMC_ENGINE_H

#include <array>
#include <cstdint>

#include <systemc>

#include <nestwalk/nestwalk.h>

namespace nestwalk::detail {

/** Every register of a context, by enum nw_register. */
using register_values = std::array<std::uint64_t, NW_REGISTERS>;

class translation_client {
public:
  /** READ: a descriptor is wanted, to be given by engine::answer(). DONE: the translation has
   * ended. Called in the middle of the engine's work: must not call the engine. */
  virtual void asked(const nw_step &step) = 0;

protected:
  ~translation_client() = default;
};

/** One translation, the client's memory from engine::begin() until it has ended. */
struct translation {
  nw_request request;
  const nw_result *result; /* once it has ended: valid until the next begin() */
  translation_client *client;
  nw_transaction core; /* the C model's own */
  nw_result kept;      /* where an engine has no place of its own for the result */
};

class engine {
public:
  virtual ~engine() = default;

  /** Called once at the end of construction, inside the module: what has processes makes them. */
  virtual void construct() {
  }

  /** A context's registers have changed; begin() will bring them in any case. */
  virtual void registers_written(const register_values & /*before*/,
                                 const register_values & /*after*/) {
  }

  /** Starts `t` (request and client set) with these registers. True: it has ended, by a hit as a
   * rule, and the client is not told. False: the client is told when it asks, which may be before
   * this returns, and when it ends. */
  virtual bool begin(translation &t, const register_values &registers) = 0;
  /** Answers its READ. It may ask again, and others may end, before this returns. */
  virtual void answer(translation &t, const nw_answer &answer) = 0;
  /** Cycles that a translation in flight has cost up to the step that it has asked for. */
  virtual std::uint32_t cycles(const translation &t) const = 0;
  /** True: cycles pass in simulated time, and a client has to be there when they do. */
  virtual bool runs_in_simulated_time() const = 0;

  virtual void invalidate(const register_values &registers, nw_tlbi operation,
                          std::uint64_t operand) = 0;

  /** Translates at once with `memory`, changing and counting nothing; request.debug is set. */
  virtual bool debug_translate(const nw_request &request, const register_values &registers,
                               const nw_memory &memory, nw_result &result) = 0;

  virtual const struct nw_mmu_statistics &statistics() = 0;
  virtual void reset_statistics() = 0;
};

} // namespace nestwalk::detail
#endif
