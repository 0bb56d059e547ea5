/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: one trace replayed on one machine under one paging mode.
 *
 * Each stream of the trace is a process or a thread. Those that can run take turns of guest.quantum
 * instructions. A stream starts when its parent's FORK has been replayed; the parent of a vfork
 * waits until its child has called exec or ended; an exec waits until the other threads of its
 * process have ended. A load or store that crosses a 4 KB page is one reference and two accesses to
 * the machine.
 */
#ifndef NW_SIM_RUN_H
#define NW_SIM_RUN_H

#include <stdatomic.h>

#include "sim/timeline.h"
#include "system/machine.h"
#include "trace/trace.h"

enum nw_run_status {
  NW_RUN_OK = 0,
  NW_RUN_STOPPED,   /* by `stop`: what has been counted so far is in the result */
  NW_RUN_BAD_INPUT, /* the trace is damaged, or not for this machine; or the machine impossible */
  NW_RUN_FAILED,    /* the machine ran out of something */
};

/* A record before which a run ends: `reached` then has the machine with the stream's process running.
 * What it answers becomes the run's status, with its sentence in `error`. */
struct nw_run_stop {
  uint32_t stream;
  uint64_t word; /* of the stream: where the record begins */
  enum nw_run_status (*reached)(void *context, struct nw_machine *machine, char *error);
  void *context;
};

/* How a run is watched and ended from outside; everything may be NULL or 0. */
struct nw_run_control {
  uint64_t limit;             /* stop after so many references; 0: none */
  const atomic_bool *stop;    /* looked at every few thousand references */
  _Atomic uint64_t *replayed; /* grows by the references replayed */
  const struct nw_run_stop *stop_at;
  /* Told of the machine before its first access: somebody wants to look inside. */
  void (*prepared)(void *context, struct nw_machine *machine);
  void *context;
};

struct nw_run_cache {
  char name[NW_CACHE_NAME];
  struct nw_cache_statistics counts;
};

/* What has been counted; statistics.h gives it names. */
struct nw_run_result {
  enum nw_mode mode;
  uint32_t clock_mhz;
  bool complete;                        /* the whole trace was replayed */
  uint64_t page_crossings;              /* loads and stores that were translated twice */
  uint64_t orphans;                     /* streams that no FORK started; they were started last */
  struct nw_machine_statistics machine; /* its references are accesses: crossings count twice */
  struct nw_mmu_statistics mmu;
  uint32_t caches;
  struct nw_run_cache cache[NW_CACHE_LEVELS];
  uint64_t dram[NW_REQUESTERS];
  struct nw_timeline timeline;
};

#define NW_RUN_ERROR 768

/* `error` gets a sentence unless the result is NW_RUN_OK. Runs of one trace may go on in several
 * threads at once. */
enum nw_run_status nw_run(struct nw_trace *trace, const struct nw_machine_config *config,
                          enum nw_mode mode, const struct nw_run_control *control,
                          struct nw_run_result *result, char error[NW_RUN_ERROR]);

/* The same in pieces, for runs that go side by side through one trace: begin (NULL: out of memory),
 * turns while there are any, end, which frees. A turn replays guest.quantum instructions of one
 * process, or what is left of it. `result` and `error` are the caller's until the end. */
struct nw_replay;
struct nw_replay *nw_replay_begin(struct nw_trace *trace, const struct nw_machine_config *config,
                                  enum nw_mode mode, const struct nw_run_control *control,
                                  struct nw_run_result *result, char error[NW_RUN_ERROR]);
bool nw_replay_turn(struct nw_replay *replay);
enum nw_run_status nw_replay_end(struct nw_replay *replay);

#endif
