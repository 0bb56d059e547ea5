/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads take the next job until there is none. The caller's thread only watches: it alone talks
 * to the outside, so that progress and signals need no locks.
 */
#include "sim/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WATCH_MILLISECONDS 100

struct pool {
  struct nw_job *jobs;
  size_t count;
  atomic_size_t next;
  atomic_bool stop;
  _Atomic uint64_t replayed;
  pthread_mutex_t lock; /* of `running` */
  pthread_cond_t ended;
  unsigned running;
};

static void *work(void *argument) {
  struct pool *pool = argument;
  for (;;) {
    size_t index = atomic_fetch_add(&pool->next, 1);
    if (index >= pool->count || atomic_load(&pool->stop))
      break;
    struct nw_job *job = &pool->jobs[index];
    struct nw_run_control control = {
        .limit = job->limit, .stop = &pool->stop, .replayed = &pool->replayed};
    job->started = true;
    job->status = nw_run(job->trace, job->config, job->mode, &control, &job->result, job->error);
    if (job->status != NW_RUN_OK)
      atomic_store(&pool->stop, true);
  }
  pthread_mutex_lock(&pool->lock);
  pool->running--;
  pthread_cond_signal(&pool->ended);
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static uint64_t total_references(const struct nw_job *jobs, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t references = nw_trace_references(nw_trace_totals(jobs[i].trace));
    total += jobs[i].limit && jobs[i].limit < references ? jobs[i].limit : references;
  }
  return total;
}

static double seconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void add_milliseconds(struct timespec *time, long milliseconds) {
  time->tv_nsec += milliseconds * 1000000L;
  time->tv_sec += time->tv_nsec / 1000000000L;
  time->tv_nsec %= 1000000000L;
}

/* Waits until all threads have ended. */
static void watch_pool(struct pool *pool, const struct nw_jobs_watch *watch) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  struct nw_jobs_progress progress = {.total = total_references(pool->jobs, pool->count)};
  pthread_mutex_lock(&pool->lock);
  while (pool->running) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    add_milliseconds(&deadline, WATCH_MILLISECONDS);
    if (pthread_cond_timedwait(&pool->ended, &pool->lock, &deadline) != ETIMEDOUT)
      continue;
    pthread_mutex_unlock(&pool->lock);
    if (watch && watch->stop && watch->stop(watch->context))
      atomic_store(&pool->stop, true);
    if (watch && watch->progress) {
      progress.replayed = atomic_load(&pool->replayed);
      progress.seconds = seconds_since(&start);
      watch->progress(watch->context, &progress);
    }
    pthread_mutex_lock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->lock);
  if (watch && watch->progress) {
    progress.replayed = atomic_load(&pool->replayed);
    progress.seconds = seconds_since(&start);
    watch->progress(watch->context, &progress);
  }
}

/* A job that no thread came to, since the others were stopped or there is none. */
static void mark_unstarted(struct nw_job *job, bool threads) {
  if (job->started)
    return;
  job->status = threads ? NW_RUN_STOPPED : NW_RUN_FAILED;
  snprintf(job->error, sizeof job->error, "%s",
           threads ? "not started" : "no thread could be created");
}

bool nw_jobs_run(struct nw_job *jobs, size_t count, unsigned threads,
                 const struct nw_jobs_watch *watch) {
  struct pool pool = {.jobs = jobs, .count = count};
  if (threads > count)
    threads = (unsigned)count;
  pthread_t *ids = calloc(threads ? threads : 1, sizeof *ids);
  unsigned created = 0;
  pthread_mutex_init(&pool.lock, NULL);
  pthread_cond_init(&pool.ended, NULL);
  for (size_t i = 0; i < count; i++)
    jobs[i].started = false;
  pool.running = threads;
  while (ids && created < threads && !pthread_create(&ids[created], NULL, work, &pool))
    created++;
  pthread_mutex_lock(&pool.lock);
  pool.running -= threads - created;
  pthread_mutex_unlock(&pool.lock);
  watch_pool(&pool, watch);
  for (unsigned i = 0; i < created; i++)
    pthread_join(ids[i], NULL);
  pthread_cond_destroy(&pool.ended);
  pthread_mutex_destroy(&pool.lock);
  free(ids);
  bool good = true;
  for (size_t i = 0; i < count; i++) {
    mark_unstarted(&jobs[i], created > 0);
    good = good && jobs[i].status == NW_RUN_OK;
  }
  return good;
}

const struct nw_job *nw_jobs_failed(const struct nw_job *jobs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (jobs[i].status == NW_RUN_BAD_INPUT || jobs[i].status == NW_RUN_FAILED)
      return &jobs[i];
  }
  return NULL;
}
