/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: a stream's references never exceed its share of the total, and end at it; a page of
 * the footprint is PRESENT from its first load or store on, and WRITABLE while the kernel would let
 * a store to it pass without a fault, so that the page-table writes of a fork are known before it
 * is made.
 */
#include "trace/synthetic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/format.h"
#include "trace/random.h"
#include "trace/writer.h"

#define PAGE 4096u
#define WORD 4u

/* Where things are in a process. The guard page keeps the last-level table of the churned pages
 * from being freed and made again. */
#define CODE_BASE UINT64_C(0x00010000)
#define CODE_BYTES UINT64_C(0x4000)
#define CHURN_GUARD UINT64_C(0x08000000)
#define CHURN_BASE (CHURN_GUARD + PAGE)
#define DATA_BASE UINT64_C(0x10000000)

/* Linux for ARM, arch/arm/tools/syscall.tbl */
enum {
  SYS_EXIT_GROUP = 248,
  SYS_MMAP2 = 192,
  SYS_MUNMAP = 91,
  SYS_MPROTECT = 125,
  SYS_CLONE = 120
};

enum { GROUP = 8 };         /* loads and stores after one block of instructions */
enum { CHURN_SPACING = 4 }; /* instructions to each load or store of a churn */
enum { CHILD_STARTS = 20 }; /* instructions of a forked child before it does anything */

enum page_flag { PRESENT = 1, WRITABLE = 2 };

struct phase_state {
  const struct nw_synthetic_phase *phase;
  uint64_t pages;
  double *zipf;      /* cumulative weights of the pages, the last one 1; NULL unless zipf */
  uint64_t spread;   /* zipf: the k-th page is at k * spread modulo pages: neighbours in rank
                        are none in memory */
  uint64_t position; /* sequential: next offset; working set: start of the window */
  uint64_t stays;    /* working set: loads and stores until it moves */
  double owed;       /* page-table writes that the churn lags behind */
};

struct process {
  struct nw_trace_writer *writer;
  struct nw_trace_error *error;
  enum nw_trace_result result; /* the first failure stays */
  uint32_t stream;
  uint64_t left; /* references */
  uint64_t random;
  uint64_t code; /* offset of the next block */
  uint8_t *page; /* enum page_flag, of the largest footprint */
  uint64_t pages;
  uint64_t present, writable; /* how many pages are */
  bool protected;             /* the churned pages are read-only now */
  bool churned_mapped;        /* protect: they are there */
  struct phase_state state[NW_SYNTHETIC_PHASES_MAX];
};

struct nw_synthetic_phase nw_synthetic_phase_default(void) {
  return (struct nw_synthetic_phase){
      .footprint = 8u << 20,
      .exponent = 0.8,
      .stride = 64,
      .window = 1u << 20,
      .window_stays = 100000,
      .stores = 0.3,
      .instructions = 3,
      .batch = 16,
  };
}

/* -- records ---------------------------------------------------------------------------------- */

static void put(struct process *p, enum nw_rec_kind kind, uint32_t aux, uint64_t va) {
  if (p->result == NW_TRACE_OK)
    p->result = nw_trace_write(p->writer, p->stream, nw_rec_make(kind, aux, va), p->error);
}

static void put_event(struct process *p, enum nw_event event, const uint64_t *operands,
                      size_t count) {
  if (p->result == NW_TRACE_OK)
    p->result = nw_trace_write_event(p->writer, p->stream, event, operands, count, p->error);
}

static void put_map(struct process *p, uint64_t va, uint64_t bytes, uint64_t protection,
                    uint64_t flags) {
  put_event(p, NW_EVENT_MAP, (uint64_t[]){va, bytes, protection, flags}, 4);
}

/* A block of instructions at the program's place in its code, which it goes through in a circle. */
static void put_block(struct process *p, uint32_t count) {
  uint64_t bytes = (uint64_t)count * WORD;
  if (p->code % PAGE + bytes > PAGE)
    p->code = (p->code / PAGE + 1) * PAGE;
  if (p->code >= CODE_BYTES)
    p->code = 0;
  put(p, NW_REC_BLOCK, count, CODE_BASE + p->code);
  p->code += bytes;
  p->left -= count;
}

static void put_data(struct process *p, bool store, uint64_t va) {
  put(p, store ? NW_REC_STORE : NW_REC_LOAD, WORD, va);
  p->left--;
}

/* -- locality --------------------------------------------------------------------------------- */

static uint64_t any_word(struct process *p, uint64_t bytes) {
  return nw_random_below(&p->random, bytes / WORD) * WORD;
}

static uint64_t zipf_offset(struct process *p, const struct phase_state *s) {
  double wanted = nw_random_unit(&p->random);
  uint64_t low = 0, high = s->pages - 1;
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    if (s->zipf[middle] > wanted)
      high = middle;
    else
      low = middle + 1;
  }
  return low * s->spread % s->pages * PAGE + any_word(p, PAGE);
}

static uint64_t sequential_offset(struct phase_state *s) {
  uint64_t offset = s->position;
  s->position = (offset + s->phase->stride) % s->phase->footprint;
  return offset;
}

static uint64_t working_set_offset(struct process *p, struct phase_state *s) {
  uint64_t window_pages = s->phase->window / PAGE;
  if (s->stays == 0) {
    s->stays = s->phase->window_stays;
    s->position = nw_random_below(&p->random, s->pages - window_pages + 1) * PAGE;
  }
  s->stays--;
  return s->position + any_word(p, window_pages * PAGE);
}

static uint64_t next_offset(struct process *p, struct phase_state *s) {
  switch (s->phase->locality) {
  case NW_LOCALITY_ZIPF:
    return zipf_offset(p, s);
  case NW_LOCALITY_SEQUENTIAL:
    return sequential_offset(s);
  case NW_LOCALITY_WORKING_SET:
    return working_set_offset(p, s);
  case NW_LOCALITY_UNIFORM:
    break;
  }
  return any_word(p, s->phase->footprint);
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static bool prepare_zipf(struct phase_state *s) {
  double sum = 0.0;
  s->zipf = malloc(s->pages * sizeof *s->zipf);
  if (s->zipf == NULL)
    return false;
  for (uint64_t k = 0; k < s->pages; k++)
    s->zipf[k] = sum += pow((double)(k + 1), -s->phase->exponent);
  for (uint64_t k = 0; k < s->pages; k++)
    s->zipf[k] /= sum;
  s->spread = s->pages * 5 / 8 + 1; /* far, and with no divisor in common: each page once */
  while (greatest_divisor(s->spread, s->pages) != 1)
    s->spread++;
  return true;
}

/* -- loads and stores ------------------------------------------------------------------------- */

/* Follows what the kernel does to the page. Returns the page-table writes that a fork before made
 * necessary now. */
static unsigned touch(struct process *p, uint64_t offset, bool store) {
  uint8_t *page = &p->page[offset / PAGE];
  if (!(*page & PRESENT)) {
    *page = PRESENT | WRITABLE;
    p->present++;
    p->writable++;
  } else if (store && !(*page & WRITABLE)) {
    *page |= WRITABLE;
    p->writable++;
    return 1;
  }
  return 0;
}

/* A block and its loads and stores, as far as there are references left. */
static void run_group(struct process *p, struct phase_state *s, uint64_t most) {
  uint32_t each = s->phase->instructions;
  uint64_t before = p->left, room = most < p->left ? most : p->left;
  uint32_t group = PAGE / WORD / each < GROUP ? PAGE / WORD / each : GROUP;
  uint32_t data = room / (each + 1) < group ? (uint32_t)(room / (each + 1)) : group;
  put_block(p, data ? data * each : (uint32_t)room);
  for (uint32_t i = 0; i < data; i++) {
    uint64_t offset = next_offset(p, s);
    bool store = nw_random_unit(&p->random) < s->phase->stores;
    s->owed -= touch(p, offset, store);
    put_data(p, store, DATA_BASE + offset);
  }
  s->owed += 1e-6 * s->phase->pte_writes * (double)(before - p->left);
}

/* -- churn ------------------------------------------------------------------------------------ */

static void use_churned(struct process *p, uint32_t pages, bool store) {
  for (uint32_t i = 0; i < pages; i++) {
    put_block(p, CHURN_SPACING);
    put_data(p, store, CHURN_BASE + (uint64_t)i * PAGE);
  }
}

static uint64_t churn_map(struct process *p, const struct nw_synthetic_phase *phase) {
  uint64_t bytes = (uint64_t)phase->batch * PAGE;
  put(p, NW_REC_SYSCALL, 0, SYS_MMAP2);
  put_map(p, CHURN_BASE, bytes, NW_PROT_READ | NW_PROT_WRITE, 0);
  use_churned(p, phase->batch, true);
  put(p, NW_REC_SYSCALL, 0, SYS_MUNMAP);
  put_event(p, NW_EVENT_UNMAP, (uint64_t[]){CHURN_BASE, bytes}, 2);
  p->churned_mapped = p->protected = false;
  return 2 * (uint64_t)phase->batch;
}

static uint64_t churn_protect(struct process *p, const struct nw_synthetic_phase *phase) {
  uint64_t bytes = (uint64_t)phase->batch * PAGE;
  if (!p->churned_mapped) {
    put(p, NW_REC_SYSCALL, 0, SYS_MMAP2);
    put_map(p, CHURN_BASE, bytes, NW_PROT_READ | NW_PROT_WRITE, 0);
    use_churned(p, phase->batch, true);
    p->churned_mapped = true;
    p->protected = false;
    return 0; /* first touches, not churn */
  }
  p->protected = !p->protected;
  uint64_t protection = NW_PROT_READ | (p->protected ? 0 : NW_PROT_WRITE);
  put(p, NW_REC_SYSCALL, 0, SYS_MPROTECT);
  put_event(p, NW_EVENT_PROTECT, (uint64_t[]){CHURN_BASE, bytes, protection}, 3);
  use_churned(p, phase->batch, false);
  return phase->batch;
}

/* The child: starts, stores to pages in a row of those that are present, exits. A store to a page
 * that the parent holds, too, takes two writes: the old page is unmapped before the copy is
 * mapped (ARM DDI 0406C, B3.10.1, break before make). */
static uint64_t run_child(struct process *p, uint32_t child,
                          const struct nw_synthetic_phase *phase) {
  uint32_t parent = p->stream;
  uint64_t pages = phase->footprint / PAGE, first = nw_random_below(&p->random, pages), writes = 0;
  p->stream = child;
  put_block(p, CHILD_STARTS);
  for (uint32_t i = 0; i < phase->batch; i++) {
    uint64_t page = (first + i) % pages;
    bool store = i < pages && p->page[page] & PRESENT;
    put_block(p, CHURN_SPACING);
    put_data(p, store, store ? DATA_BASE + page * PAGE : CODE_BASE);
    writes += store ? 2 : 0;
  }
  put(p, NW_REC_SYSCALL, 0, SYS_EXIT_GROUP);
  put_event(p, NW_EVENT_EXIT, (uint64_t[]){0, NW_EXIT_PROCESS}, 2);
  if (p->result == NW_TRACE_OK)
    p->result = nw_trace_writer_end_stream(p->writer, child, p->error);
  p->stream = parent;
  return writes;
}

static uint32_t put_fork(struct process *p, uint64_t flags) {
  uint32_t child = 0;
  struct nw_trace_stream stream = {.parent = p->stream, .parent_word = 0, .program = "synthetic"};
  put(p, NW_REC_SYSCALL, 0, SYS_CLONE);
  stream.parent_word = nw_trace_writer_words(p->writer, p->stream);
  if (p->result == NW_TRACE_OK)
    p->result = nw_trace_writer_add_stream(p->writer, &stream, &child, p->error);
  put_event(p, NW_EVENT_FORK, (uint64_t[]){child, flags, 1000 + (uint64_t)child}, 3);
  return child;
}

/* What there is beside the footprint: code and the guard page. */
#define OTHER_PAGES (CODE_BYTES / PAGE + 1)

static uint64_t fork_writes(const struct process *p) {
  return p->writable + 2 * (p->present + OTHER_PAGES);
}

/* The parent's writable pages become read-only, the child gets all that are present, stores to
 * some, and drops all. The parent waits for it. */
static uint64_t churn_fork(struct process *p, const struct nw_synthetic_phase *phase) {
  uint64_t writes = fork_writes(p);
  uint32_t child = put_fork(p, NW_FORK_VFORK);
  for (uint64_t i = 0; i < p->pages; i++)
    p->page[i] &= (uint8_t)~WRITABLE;
  p->writable = 0;
  return p->result == NW_TRACE_OK ? writes + run_child(p, child, phase) : writes;
}

/* Page-table writes of one more round, or fewer than them. */
static double churn_cost(const struct process *p, const struct nw_synthetic_phase *phase) {
  if (phase->churn == NW_CHURN_FORK)
    return (double)fork_writes(p);
  return (double)phase->batch * (phase->churn == NW_CHURN_MAP ? 2 : 1);
}

/* Never past `end`, the references that are left when the phase's turn is over. */
static void churn_as_owed(struct process *p, struct phase_state *s, uint64_t end) {
  static uint64_t (*const rounds[])(struct process *, const struct nw_synthetic_phase *) = {
      [NW_CHURN_MAP] = churn_map, [NW_CHURN_PROTECT] = churn_protect, [NW_CHURN_FORK] = churn_fork};
  const struct nw_synthetic_phase *phase = s->phase;
  uint64_t references = CHILD_STARTS + (uint64_t)phase->batch * (CHURN_SPACING + 1);
  while (phase->pte_writes > 0.0 && s->owed >= churn_cost(p, phase) && p->left > end + references &&
         p->result == NW_TRACE_OK) {
    uint64_t before = p->left;
    s->owed -= (double)rounds[phase->churn](p, phase);
    s->owed += 1e-6 * phase->pte_writes * (double)(before - p->left);
  }
}

/* -- processes -------------------------------------------------------------------------------- */

static void run_phases(struct process *p, const struct nw_synthetic *settings) {
  for (uint32_t i = 0; p->left && p->result == NW_TRACE_OK; i = (i + 1) % settings->phases) {
    uint64_t length = settings->phase[i].references;
    uint64_t end = length && length < p->left ? p->left - length : 0;
    while (p->left > end && p->result == NW_TRACE_OK) {
      run_group(p, &p->state[i], p->left - end);
      churn_as_owed(p, &p->state[i], end);
    }
  }
}

static void put_layout(struct process *p) {
  put_map(p, CODE_BASE, CODE_BYTES, NW_PROT_READ | NW_PROT_EXEC, NW_MAP_FILE | NW_MAP_INITIAL);
  put_map(p, CHURN_GUARD, PAGE, NW_PROT_READ | NW_PROT_WRITE, NW_MAP_INITIAL);
  put_map(p, DATA_BASE, p->pages * PAGE, NW_PROT_READ | NW_PROT_WRITE, NW_MAP_INITIAL);
}

static void run_process(struct process *p, const struct nw_synthetic *settings) {
  if (p->left > CHURN_SPACING) {
    put_block(p, CHURN_SPACING);
    put_data(p, true, CHURN_GUARD);
  }
  run_phases(p, settings);
  put(p, NW_REC_SYSCALL, 0, SYS_EXIT_GROUP);
  put_event(p, NW_EVENT_EXIT, (uint64_t[]){0, NW_EXIT_PROCESS}, 2);
  if (p->result == NW_TRACE_OK)
    p->result = nw_trace_writer_end_stream(p->writer, p->stream, p->error);
}

static void release(struct process *p) {
  for (uint32_t i = 0; i < NW_SYNTHETIC_PHASES_MAX; i++)
    free(p->state[i].zipf);
  free(p->page);
}

static bool prepare(struct process *p, const struct nw_synthetic *settings) {
  for (uint32_t i = 0; i < settings->phases; i++) {
    struct phase_state *s = &p->state[i];
    s->phase = &settings->phase[i];
    s->pages = s->phase->footprint / PAGE;
    p->pages = s->pages > p->pages ? s->pages : p->pages;
    if (s->phase->locality == NW_LOCALITY_ZIPF && !prepare_zipf(s))
      return false;
  }
  p->page = calloc(p->pages, 1);
  return p->page != NULL;
}

/* Starts a process in the state of one that has not run yet. */
static void restart(struct process *p, const struct nw_synthetic *settings, uint32_t stream) {
  p->stream = stream;
  p->random = settings->seed * settings->processes + stream;
  p->left = settings->references / settings->processes +
            (stream < settings->references % settings->processes);
  memset(p->page, 0, p->pages);
  p->present = p->writable = p->code = 0;
  p->churned_mapped = p->protected = false;
  for (uint32_t i = 0; i < settings->phases; i++) {
    p->state[i].position = p->state[i].stays = 0;
    p->state[i].owed = 0.0;
  }
}

/* All processes are forked by the first before it touches anything. */
static void run_all(struct process *p, const struct nw_synthetic *settings) {
  uint32_t first;
  p->result = nw_trace_writer_add_stream(
      p->writer, &(struct nw_trace_stream){.parent = NW_TRACE_NO_STREAM, .program = "synthetic"},
      &first, p->error);
  restart(p, settings, 0);
  put_layout(p);
  for (uint32_t i = 1; i < settings->processes && p->result == NW_TRACE_OK; i++)
    put_fork(p, 0);
  for (uint32_t i = 0; i < settings->processes && p->result == NW_TRACE_OK; i++) {
    restart(p, settings, i);
    run_process(p, settings);
  }
}

enum nw_trace_result nw_synthetic_write(const char *path, const struct nw_synthetic *settings,
                                        const struct nw_trace_header *header,
                                        struct nw_trace_error *error) {
  struct nw_trace_header whole = *header;
  struct process process = {.error = error};
  if (whole.architecture == NULL)
    whole.architecture = "armv7";
  whole.page_size = PAGE;
  whole.target = "synthetic";
  if (!prepare(&process, settings))
    process.result = nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  else
    process.result = nw_trace_writer_open(path, &whole, &process.writer, error);
  if (process.result == NW_TRACE_OK) {
    run_all(&process, settings);
    if (process.result == NW_TRACE_OK)
      process.result = nw_trace_writer_close(process.writer, 0, error);
    else
      nw_trace_writer_abandon(process.writer);
  }
  release(&process);
  return process.result;
}
