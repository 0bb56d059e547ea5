/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison in words. All of it follows from the figures: the difference of two runs is split
 * by what the cycles went to, and what matters is told, the largest first.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/comparison.h"
#include "sim/names.h"
#include "sim/numerals.h"
#include "sim/statistics.h"

/* A part of the difference is told when it is at least this share of the largest part. */
#define WORTH_TELLING 0.02

/* What one run has more (or less) of than another. */
struct difference {
  enum nw_cycle_cause cause;
  int64_t cycles;
};

static int larger_first(const void *a, const void *b) {
  int64_t left = llabs(((const struct difference *)a)->cycles);
  int64_t right = llabs(((const struct difference *)b)->cycles);
  return (left < right) - (left > right);
}

static void differences(const struct nw_run_result *of, const struct nw_run_result *to,
                        struct difference out[NW_CYCLE_CAUSES]) {
  for (int cause = 0; cause < NW_CYCLE_CAUSES; cause++) {
    out[cause].cause = (enum nw_cycle_cause)cause;
    out[cause].cycles =
        (int64_t)(nw_cycles_of(of, out[cause].cause) - nw_cycles_of(to, out[cause].cause));
  }
  qsort(out, NW_CYCLE_CAUSES, sizeof out[0], larger_first);
}

/* The cause that exits spend most cycles on. */
static const char *top_exit_cause(const struct nw_run_result *result) {
  int top = 0;
  for (int cause = 1; cause < NW_EXIT_CAUSES; cause++) {
    if (result->machine.exit_cycles[cause] > result->machine.exit_cycles[top])
      top = cause;
  }
  return nw_exit_cause_names[top];
}

static void write_counts(FILE *out, uint64_t of, uint64_t to, const char *what) {
  char left[32], right[32];
  nw_grouped(left, sizeof left, of);
  nw_grouped(right, sizeof right, to);
  fprintf(out, " (%s %s instead of %s", left, what, right);
}

/* "1,234 cycles of translation (30 walk references instead of 90)" */
static void write_part(FILE *out, const struct difference *part, const struct nw_run_result *of,
                       const struct nw_run_result *to) {
  char cycles[32];
  nw_grouped(cycles, sizeof cycles, (uint64_t)llabs(part->cycles));
  fprintf(out, "%s cycles of %s", cycles,
          part->cause == NW_CYCLES_MEMORY         ? "the program's own memory references"
          : part->cause == NW_CYCLES_GUEST_KERNEL ? "guest kernel work"
                                                  : nw_cycle_cause_names[part->cause]);
  if (part->cause == NW_CYCLES_TRANSLATION) {
    write_counts(out, of->mmu.walk_references, to->mmu.walk_references, "walk references");
    fputs(")", out);
  } else if (part->cause == NW_CYCLES_EXITS) {
    uint64_t mine = nw_run_exits(of), other = nw_run_exits(to);
    write_counts(out, mine, other, "exits");
    fprintf(out, ", mostly %s)", top_exit_cause(part->cycles > 0 ? of : to));
  }
}

/* Lists the parts of one sign, "a, b and c"; false when there is none worth telling. */
static bool write_parts(FILE *out, const char *opening, int sign,
                        const struct difference parts[NW_CYCLE_CAUSES],
                        const struct nw_run_result *of, const struct nw_run_result *to) {
  const struct difference *told[NW_CYCLE_CAUSES];
  int count = 0;
  for (int i = 0; i < NW_CYCLE_CAUSES; i++) {
    bool wanted = sign > 0 ? parts[i].cycles > 0 : parts[i].cycles < 0;
    if (wanted && (double)llabs(parts[i].cycles) >= WORTH_TELLING * (double)llabs(parts[0].cycles))
      told[count++] = &parts[i];
  }
  for (int i = 0; i < count; i++) {
    fputs(i == 0 ? opening : i == count - 1 ? " and " : ", ", out);
    write_part(out, told[i], of, to);
  }
  return count > 0;
}

/* Why `of` takes another time than `to`: what it saves, then what it pays. */
static void write_why(FILE *out, const struct nw_run_result *of, const struct nw_run_result *to) {
  struct difference parts[NW_CYCLE_CAUSES];
  differences(of, to, parts);
  bool saves = write_parts(out, "it saves ", -1, parts, of, to);
  write_parts(out, saves ? ", but pays " : "it pays ", 1, parts, of, to);
  fputs(".", out);
}

static double percent(uint64_t more, uint64_t base) {
  return base ? 100.0 * ((double)more - (double)base) / (double)base : 0.0;
}

/* The faster of two runs against the slower one. */
static void write_pair(FILE *out, const char *label, const struct nw_job *a,
                       const struct nw_job *b) {
  uint64_t cycles_a = nw_run_cycles(&a->result), cycles_b = nw_run_cycles(&b->result);
  if (cycles_a == cycles_b) {
    fprintf(out, "%s: %s and %s take the same time.", label, nw_mode_names[a->mode],
            nw_mode_names[b->mode]);
    return;
  }
  const struct nw_job *fast = cycles_a < cycles_b ? a : b, *slow = fast == a ? b : a;
  uint64_t fewest = nw_run_cycles(&fast->result), most = nw_run_cycles(&slow->result);
  char cycles[32];
  nw_grouped(cycles, sizeof cycles, most - fewest);
  fprintf(out, "%s: %s is faster than %s by %.1f %% (%s cycles): ", label,
          nw_mode_names[fast->mode], nw_mode_names[slow->mode], -percent(fewest, most), cycles);
  write_why(out, &fast->result, &slow->result);
}

/* What the best mode that has a hypervisor costs over native. It can cost less: the host's frames
 * fall into other sets of the caches than the guest's. */
static void write_over_native(FILE *out, const struct nw_job *best, const struct nw_job *native) {
  const char *name = nw_mode_names[best->mode];
  double more = percent(nw_run_cycles(&best->result), nw_run_cycles(&native->result));
  if (fabs(more) < 0.05) {
    fprintf(out, " Against native, %s takes the same time to within 0.1 %%.", name);
    return;
  }
  fprintf(out, " Against native, %s takes %.1f %% %s: ", name, fabs(more),
          more > 0 ? "more" : "less");
  write_why(out, &best->result, &native->result);
}

static const struct nw_job *job_of(const struct nw_comparison *c, size_t trace, enum nw_mode mode) {
  for (size_t i = 0; i < c->mode_count; i++) {
    if (c->modes[i] == mode)
      return nw_comparison_job(c, trace, i);
  }
  return NULL;
}

static void write_trace(const struct nw_comparison *c, size_t trace, FILE *out) {
  const struct nw_job *native = job_of(c, trace, NW_MODE_NATIVE);
  const struct nw_job *nested = job_of(c, trace, NW_MODE_NESTED);
  const struct nw_job *shadow = job_of(c, trace, NW_MODE_SHADOW);
  char label[64];
  nw_trace_label(c->traces[trace], label, sizeof label);
  if (nested && shadow) {
    write_pair(out, label, nested, shadow);
    const struct nw_job *best =
        nw_run_cycles(&nested->result) <= nw_run_cycles(&shadow->result) ? nested : shadow;
    if (native)
      write_over_native(out, best, native);
  } else {
    write_pair(out, label, native, nested ? nested : shadow);
  }
  fputs("\n", out);
}

void nw_comparison_write_reasons(const struct nw_comparison *c, FILE *out) {
  for (size_t trace = 0; c->mode_count > 1 && trace < c->trace_count; trace++)
    write_trace(c, trace, out);
}
