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

/* A column and its run. */
struct entry {
  const char *name;
  const struct nw_run_result *result; /* NULL: there is none */
};

static uint64_t cycles_of(const struct entry *entry) {
  return nw_run_cycles(entry->result);
}

/* The faster of two runs against the slower one. */
static void write_pair(FILE *out, const char *label, const struct entry *a, const struct entry *b) {
  if (cycles_of(a) == cycles_of(b)) {
    fprintf(out, "%s: %s and %s take the same time.", label, a->name, b->name);
    return;
  }
  const struct entry *fast = cycles_of(a) < cycles_of(b) ? a : b, *slow = fast == a ? b : a;
  uint64_t fewest = cycles_of(fast), most = cycles_of(slow);
  char cycles[32];
  nw_grouped(cycles, sizeof cycles, most - fewest);
  fprintf(out, "%s: %s is faster than %s by %.1f %% (%s cycles): ", label, fast->name, slow->name,
          -percent(fewest, most), cycles);
  write_why(out, fast->result, slow->result);
}

/* What the best column that has a hypervisor costs over native. It can cost less: the host's frames
 * fall into other sets of the caches than the guest's. */
static void write_over_native(FILE *out, const struct entry *best, const struct entry *native) {
  double more = percent(cycles_of(best), cycles_of(native));
  if (fabs(more) < 0.05) {
    fprintf(out, " Against native, %s takes the same time to within 0.1 %%.", best->name);
    return;
  }
  fprintf(out, " Against native, %s takes %.1f %% %s: ", best->name, fabs(more),
          more > 0 ? "more" : "less");
  write_why(out, best->result, native->result);
}

/* The best of all where neither nested nor shadow is. */
static void write_best(FILE *out, const struct entry *best, const struct entry *better) {
  fprintf(out, " The fastest, %s, takes %.1f %% less than %s: ", best->name,
          -percent(cycles_of(best), cycles_of(better)), better->name);
  write_why(out, best->result, better->result);
}

static struct entry entry_at(const struct nw_comparison *c, size_t trace, size_t column) {
  if (column == c->column_count)
    return (struct entry){NULL, NULL};
  return (struct entry){c->columns[column].name, &nw_comparison_job(c, trace, column)->result};
}

/* The fastest column that is not native and not at `but`; when there is none, the first that is not
 * at `but`. */
static struct entry fastest(const struct nw_comparison *c, size_t trace, size_t but) {
  struct entry best = {NULL, NULL};
  for (size_t i = 0; i < c->column_count; i++) {
    struct entry entry = entry_at(c, trace, i);
    if (i != but && c->columns[i].mode != NW_MODE_NATIVE &&
        (best.result == NULL || cycles_of(&entry) < cycles_of(&best)))
      best = entry;
  }
  return best.result != NULL ? best : entry_at(c, trace, but == 0 ? 1 : 0);
}

static void write_trace(const struct nw_comparison *c, size_t trace, FILE *out) {
  const size_t none = c->column_count, base = nw_comparison_base(c);
  size_t native_column = nw_comparison_find(c, NW_MODE_NATIVE);
  size_t shadow_column = nw_comparison_find(c, NW_MODE_SHADOW);
  struct entry native = entry_at(c, trace, native_column), first = entry_at(c, trace, base);
  bool both = nw_comparison_find(c, NW_MODE_NESTED) < none && shadow_column < none;
  struct entry second = both ? entry_at(c, trace, shadow_column) : fastest(c, trace, base);
  struct entry best = fastest(c, trace, none);
  const struct entry *better = cycles_of(&first) <= cycles_of(&second) ? &first : &second;
  char label[64];
  nw_trace_label(c->traces[trace], label, sizeof label);
  write_pair(out, label, &first, &second);
  if (cycles_of(&best) < cycles_of(better) && best.result != native.result)
    write_best(out, &best, better);
  else
    best = *better;
  if (native.result != NULL && native.result != first.result && native.result != second.result)
    write_over_native(out, &best, &native);
  fputs("\n", out);
}

void nw_comparison_write_reasons(const struct nw_comparison *c, FILE *out) {
  for (size_t trace = 0; c->column_count > 1 && trace < c->trace_count; trace++)
    write_trace(c, trace, out);
}
