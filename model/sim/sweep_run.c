/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of a sweep. Main invariant: a point is waiting, or one thread has it, or it is over;
 * one that another process has claimed goes back to waiting after a while, so that it is run here
 * should that process die. The database is used under the pool's lock alone.
 */
#include "sim/sweep_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/onepass_group.h"
#include "sim/sweep_record.h"

#define SIDE_BY_SIDE 4    /* points that one thread steps together */
#define SHARED_CHUNKS 128 /* decoded ones of a trace: half a megabyte each */
#define WATCH_MILLISECONDS 100
#define ELSEWHERE_MILLISECONDS 300 /* until a point that another process has is looked at again */

enum state { WAITING = 0, TAKEN, ELSEWHERE, OVER };

struct failure {
  struct failure *next;
  char message[NW_RUN_ERROR + 512];
};

struct pool {
  const struct nw_sweep_plan *plan;
  const struct nw_sweep_options *options;
  struct nw_results *results;
  struct nw_point_groups groups;
  uint8_t *state;    /* enum state of each point */
  size_t next_group; /* none before it has a waiting point */
  atomic_bool stop;
  _Atomic uint64_t replayed;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned running; /* threads */
  bool broken;      /* the results file has failed */
  struct nw_sweep_progress progress;
  struct failure *failures;
};

/* -- taking points ---------------------------------------------------------------------------- */

/* What a thread works on: points of one trace. */
struct batch {
  const struct nw_point_group *group; /* one pass answers them all; NULL: a simulation each */
  size_t *points;
  size_t count;
};

static void take_point(struct pool *pool, struct batch *batch, size_t point) {
  pool->state[point] = TAKEN;
  batch->points[batch->count++] = point;
}

static size_t waiting_in(const struct pool *pool, const struct nw_point_group *group) {
  size_t count = 0;
  for (size_t i = 0; i < group->count; i++)
    count += pool->state[group->points[i]] == WAITING;
  return count;
}

/* How many points a thread takes, so that no other thread is left without. */
static size_t fair_share(const struct pool *pool) {
  const struct nw_sweep_progress *p = &pool->progress;
  size_t left = p->points - p->found - p->run - p->failed;
  size_t share = left / (2u * pool->options->threads) + 1;
  return share < SIDE_BY_SIDE ? share : SIDE_BY_SIDE;
}

/* Adds points of the groups from `at` on, as long as they fit together. */
static void fill_batch(struct pool *pool, struct batch *batch, size_t at) {
  const struct nw_point_group *first = &pool->groups.group[at];
  size_t share = first->one_pass ? 1 : fair_share(pool);
  uint32_t workload = pool->plan->points[first->points[0]].workload;
  batch->group = first->one_pass ? first : NULL;
  for (size_t taken = 0; at < pool->groups.count && taken < share; at++) {
    const struct nw_point_group *group = &pool->groups.group[at];
    if (pool->plan->points[group->points[0]].workload != workload ||
        group->one_pass != first->one_pass)
      break;
    if (!waiting_in(pool, group))
      continue;
    for (size_t i = 0; i < group->count; i++)
      if (pool->state[group->points[i]] == WAITING)
        take_point(pool, batch, group->points[i]);
    taken++;
  }
}

static bool forgive_elsewhere(struct pool *pool) {
  bool any = false;
  for (size_t i = 0; i < pool->plan->point_count; i++) {
    if (pool->state[i] == ELSEWHERE) {
      pool->state[i] = WAITING;
      any = true;
    }
  }
  if (any)
    pool->next_group = 0;
  return any;
}

static void wait_milliseconds(struct pool *pool, long milliseconds) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_nsec += milliseconds * 1000000L;
  deadline.tv_sec += deadline.tv_nsec / 1000000000L;
  deadline.tv_nsec %= 1000000000L;
  pthread_cond_timedwait(&pool->changed, &pool->lock, &deadline);
}

/* Waits for what others are at. False when nothing is left to do. With the lock held. */
static bool take_batch(struct pool *pool, struct batch *batch) {
  batch->count = 0;
  while (!atomic_load(&pool->stop)) {
    for (; pool->next_group < pool->groups.count; pool->next_group++) {
      if (!waiting_in(pool, &pool->groups.group[pool->next_group]))
        continue;
      fill_batch(pool, batch, pool->next_group);
      return true;
    }
    if (!pool->progress.elsewhere)
      return false;
    wait_milliseconds(pool, ELSEWHERE_MILLISECONDS);
    if (forgive_elsewhere(pool))
      pool->progress.elsewhere = 0;
  }
  return false;
}

static void fail_results(struct pool *pool) {
  pool->broken = true;
  atomic_store(&pool->stop, true);
}

static void settle(struct pool *pool, size_t point, size_t *counter) {
  pool->state[point] = OVER;
  ++*counter;
}

/* Drops the points that other processes have, and those that are in the file. With the lock held. */
static void claim_batch(struct pool *pool, struct batch *batch) {
  size_t kept = 0;
  for (size_t i = 0; i < batch->count && !pool->broken; i++) {
    size_t index = batch->points[i];
    const struct nw_point *point = &pool->plan->points[index];
    bool has = false;
    if (!nw_results_claim(pool->results, point->key)) {
      pool->state[index] = ELSEWHERE;
      pool->progress.elsewhere++;
      continue;
    }
    if (!nw_results_has(pool->results, point->key, nw_sweep_version, &has))
      fail_results(pool);
    if (has) {
      nw_results_unclaim(pool->results, point->key);
      settle(pool, index, &pool->progress.found);
      pool->progress.total -= nw_point_references(pool->plan, point);
      continue;
    }
    batch->points[kept++] = index;
  }
  batch->count = pool->broken ? 0 : kept;
}

/* -- outcomes --------------------------------------------------------------------------------- */

/* With the lock held. */
static void note_failure(struct pool *pool, size_t index, const char *error) {
  char name[400];
  struct failure *failure = calloc(1, sizeof *failure);
  settle(pool, index, &pool->progress.failed);
  nw_results_unclaim(pool->results, pool->plan->points[index].key);
  if (!failure)
    return;
  nw_point_name(pool->plan, &pool->plan->points[index], name, sizeof name);
  snprintf(failure->message, sizeof failure->message, "the point '%s' failed: %s", name, error);
  failure->next = pool->failures;
  pool->failures = failure;
}

/* Writes points that one thread has finished together: all, or none. */
static void keep(struct pool *pool, const size_t *indices, const struct nw_results_point *points,
                 size_t count, bool one_pass) {
  pthread_mutex_lock(&pool->lock);
  bool good = !pool->broken && nw_results_add(pool->results, points, count);
  if (!good && !pool->broken)
    fail_results(pool);
  for (size_t i = 0; i < count && good; i++) {
    nw_results_unclaim(pool->results, points[i].key);
    settle(pool, indices[i], &pool->progress.run);
    pool->progress.one_pass += one_pass;
  }
  pthread_mutex_unlock(&pool->lock);
}

static double thread_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* -- simulations side by side ----------------------------------------------------------------- */

struct lane {
  size_t point;
  struct nw_replay *replay; /* NULL: over */
  struct nw_run_result result;
  double seconds;
  char error[NW_RUN_ERROR];
};

static void keep_simulated(struct pool *pool, struct lane *lane) {
  struct nw_value_list list = {NULL, 0, 0, false};
  struct nw_record_scratch scratch;
  nw_value_list_from(&list, pool->plan, &lane->result);
  if (list.failed) {
    pthread_mutex_lock(&pool->lock);
    note_failure(pool, lane->point, "out of memory");
    pthread_mutex_unlock(&pool->lock);
  } else {
    struct nw_results_point record = nw_sweep_record(pool->plan, &pool->plan->points[lane->point],
                                                     "simulation", lane->seconds, &list, &scratch);
    keep(pool, &lane->point, &record, 1, false);
  }
  nw_value_list_release(&list);
}

static void end_lane(struct pool *pool, struct lane *lane) {
  enum nw_run_status status = nw_replay_end(lane->replay);
  lane->replay = NULL;
  if (status == NW_RUN_OK) {
    keep_simulated(pool, lane);
  } else if (status != NW_RUN_STOPPED) {
    pthread_mutex_lock(&pool->lock);
    note_failure(pool, lane->point, lane->error);
    pthread_mutex_unlock(&pool->lock);
  }
}

static void begin_lane(struct pool *pool, struct lane *lane, size_t index) {
  const struct nw_point *point = &pool->plan->points[index];
  struct nw_run_control control = {
      .limit = pool->plan->sweep->file->limit, .stop = &pool->stop, .replayed = &pool->replayed};
  double before = thread_seconds();
  lane->point = index;
  lane->replay = nw_replay_begin(pool->plan->traces[point->workload], &point->config, point->mode,
                                 &control, &lane->result, lane->error);
  lane->seconds = thread_seconds() - before;
  if (!lane->replay) {
    pthread_mutex_lock(&pool->lock);
    note_failure(pool, index, lane->error);
    pthread_mutex_unlock(&pool->lock);
  }
}

/* A turn of each in turn: their cursors follow each other through the same chunks. */
static void simulate_batch(struct pool *pool, const struct batch *batch) {
  struct lane *lanes = calloc(batch->count, sizeof *lanes);
  for (size_t i = 0; lanes && i < batch->count; i++)
    begin_lane(pool, &lanes[i], batch->points[i]);
  for (bool any = lanes != NULL; any;) {
    any = false;
    for (size_t i = 0; i < batch->count; i++) {
      struct lane *lane = &lanes[i];
      if (!lane->replay)
        continue;
      double before = thread_seconds();
      bool more = nw_replay_turn(lane->replay);
      lane->seconds += thread_seconds() - before;
      if (!more)
        end_lane(pool, lane);
      any = true;
    }
  }
  free(lanes);
}

/* -- one pass for many ------------------------------------------------------------------------ */

/* False when one pass was not exact after all: then each point is simulated. */
static bool pass_batch(struct pool *pool, const struct batch *batch) {
  struct nw_run_control control = {.stop = &pool->stop, .replayed = &pool->replayed};
  struct nw_value_list *lists = calloc(batch->count, sizeof *lists);
  struct nw_results_point *records = calloc(batch->count, sizeof *records);
  struct nw_record_scratch scratch;
  double before = thread_seconds();
  bool good =
      lists && records && nw_onepass_run(pool->plan, batch->points, batch->count, &control, lists);
  double seconds = (thread_seconds() - before) / (double)batch->count;
  for (size_t i = 0; good && i < batch->count; i++)
    records[i] = nw_sweep_record(pool->plan, &pool->plan->points[batch->points[i]], "one-pass",
                                 seconds, &lists[i], &scratch);
  if (good)
    keep(pool, batch->points, records, batch->count, true);
  for (size_t i = 0; lists && i < batch->count; i++)
    nw_value_list_release(&lists[i]);
  free(lists);
  free(records);
  return good || atomic_load(&pool->stop);
}

/* What the points of a batch would replay one by one, less what one pass replays. */
static void count_saved(struct pool *pool, const struct batch *batch) {
  const struct nw_point *point = &pool->plan->points[batch->points[0]];
  pthread_mutex_lock(&pool->lock);
  pool->progress.total -= (batch->count - 1) * nw_point_references(pool->plan, point);
  pthread_mutex_unlock(&pool->lock);
}

static void run_batch(struct pool *pool, const struct batch *batch) {
  if (batch->group && batch->count > 1 && pass_batch(pool, batch)) {
    count_saved(pool, batch);
    return;
  }
  for (size_t at = 0; at < batch->count && !atomic_load(&pool->stop); at += SIDE_BY_SIDE) {
    size_t left = batch->count - at;
    struct batch part = {.points = batch->points + at,
                         .count = left < SIDE_BY_SIDE ? left : SIDE_BY_SIDE};
    simulate_batch(pool, &part);
  }
}

/* -- threads ---------------------------------------------------------------------------------- */

static void *work(void *argument) {
  struct pool *pool = argument;
  struct batch batch = {.points = calloc(pool->plan->point_count + 1, sizeof(size_t))};
  pthread_mutex_lock(&pool->lock);
  while (batch.points && take_batch(pool, &batch)) {
    claim_batch(pool, &batch);
    if (!batch.count)
      continue;
    pthread_mutex_unlock(&pool->lock);
    run_batch(pool, &batch);
    pthread_mutex_lock(&pool->lock);
  }
  pool->running--;
  pthread_cond_broadcast(&pool->changed);
  pthread_mutex_unlock(&pool->lock);
  free(batch.points);
  return NULL;
}

static double seconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

/* Tells of failures and progress. With the lock held, which it gives up for the while. */
static void tell(struct pool *pool, const struct nw_sweep_watch *watch,
                 const struct timespec *start) {
  struct failure *failures = pool->failures;
  pool->failures = NULL;
  pool->progress.replayed = atomic_load(&pool->replayed);
  pool->progress.seconds = seconds_since(start);
  struct nw_sweep_progress progress = pool->progress;
  pthread_mutex_unlock(&pool->lock);
  while (failures) {
    struct failure *next = failures->next;
    if (watch && watch->failure)
      watch->failure(watch->context, failures->message);
    free(failures);
    failures = next;
  }
  if (watch && watch->progress)
    watch->progress(watch->context, &progress);
  if (watch && watch->stop && watch->stop(watch->context))
    atomic_store(&pool->stop, true);
  pthread_mutex_lock(&pool->lock);
}

static void watch_threads(struct pool *pool, const struct nw_sweep_watch *watch) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  pthread_mutex_lock(&pool->lock);
  while (pool->running) {
    wait_milliseconds(pool, WATCH_MILLISECONDS);
    tell(pool, watch, &start);
  }
  tell(pool, watch, &start);
  pthread_mutex_unlock(&pool->lock);
}

static void run_threads(struct pool *pool, const struct nw_sweep_watch *watch) {
  pthread_t *ids = calloc(pool->options->threads, sizeof *ids);
  unsigned created = 0;
  pool->running = pool->options->threads;
  while (ids && created < pool->options->threads &&
         !pthread_create(&ids[created], NULL, work, pool))
    created++;
  pthread_mutex_lock(&pool->lock);
  pool->running -= pool->options->threads - created;
  pthread_mutex_unlock(&pool->lock);
  watch_threads(pool, watch);
  for (unsigned i = 0; i < created; i++)
    pthread_join(ids[i], NULL);
  free(ids);
}

/* -- shards ----------------------------------------------------------------------------------- */

static size_t choose_shard(const struct nw_point_groups *groups,
                           const struct nw_sweep_options *options, bool *mine) {
  size_t count = 0;
  for (size_t g = 0; g < groups->count; g++) {
    bool own = g % options->shards == options->shard - 1;
    for (size_t i = 0; i < groups->group[g].count; i++)
      mine[groups->group[g].points[i]] = own;
    count += own ? groups->group[g].count : 0;
  }
  return count;
}

size_t nw_sweep_shard(const struct nw_sweep_plan *plan, const struct nw_sweep_options *options,
                      bool *mine) {
  struct nw_point_groups groups;
  size_t count = nw_onepass_groups(plan, options->simulate, &groups)
                     ? choose_shard(&groups, options, mine)
                     : 0;
  nw_point_groups_free(&groups);
  return count;
}

/* Points of other shards are over before they began. */
static bool prepare(struct pool *pool) {
  const struct nw_sweep_plan *plan = pool->plan;
  bool *mine = calloc(plan->point_count + 1, sizeof *mine);
  pool->state = calloc(plan->point_count + 1, sizeof *pool->state);
  if (!mine || !pool->state || !nw_onepass_groups(plan, pool->options->simulate, &pool->groups)) {
    free(mine);
    return false;
  }
  pool->progress.points = choose_shard(&pool->groups, pool->options, mine);
  for (size_t i = 0; i < plan->point_count; i++) {
    pool->state[i] = mine[i] ? WAITING : OVER;
    pool->progress.total += mine[i] ? nw_point_references(plan, &plan->points[i]) : 0;
  }
  for (size_t i = 0; i < plan->trace_count; i++)
    nw_trace_share_chunks(plan->traces[i], SHARED_CHUNKS); /* without memory for it, it is slower */
  free(mine);
  return true;
}

enum nw_sweep_outcome nw_sweep_run(const struct nw_sweep_plan *plan,
                                   const struct nw_sweep_options *options,
                                   struct nw_results *results, const struct nw_sweep_watch *watch,
                                   struct nw_sweep_progress *progress) {
  struct pool pool = {.plan = plan, .options = options, .results = results};
  pthread_mutex_init(&pool.lock, NULL);
  pthread_cond_init(&pool.changed, NULL);
  if (prepare(&pool)) {
    run_threads(&pool, watch);
  } else {
    snprintf(results->error, sizeof results->error, "out of memory");
    pool.broken = true;
  }
  *progress = pool.progress;
  nw_point_groups_free(&pool.groups);
  free(pool.state);
  pthread_cond_destroy(&pool.changed);
  pthread_mutex_destroy(&pool.lock);
  if (pool.broken)
    return NW_SWEEP_NO_RESULTS;
  return progress->found + progress->run == progress->points ? NW_SWEEP_DONE : NW_SWEEP_INCOMPLETE;
}

/* -- estimates -------------------------------------------------------------------------------- */

#define SAMPLE_REFERENCES 300000

/* Seconds for each reference of a point like this one, from its first so many. */
static double sample(const struct nw_sweep_plan *plan, const struct nw_point *point) {
  struct nw_run_control control = {.limit = SAMPLE_REFERENCES};
  struct nw_run_result result;
  char error[NW_RUN_ERROR];
  double before = thread_seconds();
  nw_run(plan->traces[point->workload], &point->config, point->mode, &control, &result, error);
  uint64_t references = result.machine.references;
  return references ? (thread_seconds() - before) / (double)references : 0.0;
}

static bool alike(const struct nw_point *a, const struct nw_point *b) {
  return a->workload == b->workload && a->mode == b->mode &&
         !strcmp(a->config.name, b->config.name);
}

double nw_sweep_estimate(const struct nw_sweep_plan *plan, const struct nw_sweep_options *options) {
  struct nw_point_groups groups;
  const struct nw_point *last = NULL;
  double each = 0.0, seconds = 0.0;
  bool *mine = calloc(plan->point_count + 1, sizeof *mine);
  if (mine && nw_onepass_groups(plan, options->simulate, &groups)) {
    choose_shard(&groups, options, mine);
    for (size_t g = 0; g < groups.count; g++) {
      const struct nw_point *point = &plan->points[groups.group[g].points[0]];
      if (!mine[groups.group[g].points[0]])
        continue;
      each = last && alike(last, point) ? each : sample(plan, point);
      last = point;
      double cost = groups.group[g].one_pass ? NW_ONEPASS_COST : 1.0;
      seconds += cost * each * (double)nw_point_references(plan, point);
    }
    nw_point_groups_free(&groups);
  }
  free(mine);
  return seconds;
}
