/* SPDX-License-Identifier: Apache-2.0 */
#include "support/view.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const aspect_name[VIEW_ASPECTS] = {
    [VIEW_PA] = "pa",       [VIEW_PAGE_LOG2] = "page_log2", [VIEW_ATTR] = "attr",
    [VIEW_SH] = "sh",       [VIEW_GLOBAL] = "global",       [VIEW_ALLOWED] = "allowed",
    [VIEW_FAULT] = "fault", [VIEW_LEVEL] = "level",         [VIEW_STAGE] = "stage",
};

static void fill_ok(struct tables *tables, struct view *view) {
  const struct nw_result *result = &tables->result;
  uint64_t seen[] = {result->pa, result->page_log2, result->attr, result->sh, tables->global};
  for (unsigned i = 0; i <= VIEW_GLOBAL; i++) {
    if (view->aspect[VIEW_ALLOWED])
      assert_int_equal(view->aspect[i], seen[i]);
    view->aspect[i] = seen[i];
  }
}

struct view view_at(struct tables *tables, enum nw_scope scope, uint64_t va) {
  struct view view = {{0}};
  for (unsigned who = 0; who < 6; who++) {
    if (tables_walk(tables, scope, (enum nw_access)(who % 3), (enum nw_privilege)(who / 3), va)) {
      fill_ok(tables, &view);
      view.aspect[VIEW_ALLOWED] |= 1u << who;
    } else if (!view.aspect[VIEW_FAULT]) {
      view.aspect[VIEW_FAULT] = tables->result.fault.type;
      view.aspect[VIEW_LEVEL] = tables->result.fault.level;
      view.aspect[VIEW_STAGE] = tables->result.fault.stage;
    }
  }
  return view;
}

void view_compare(const char *what, unsigned bit, const struct view *seen,
                  const struct view *expected) {
  for (unsigned i = 0; i < VIEW_ASPECTS; i++)
    if (seen->aspect[i] != expected->aspect[i])
      fail_msg("%s, bit %u: %s is 0x%" PRIx64 ", expected 0x%" PRIx64, what, bit, aspect_name[i],
               seen->aspect[i], expected->aspect[i]);
}

static void apply(const struct view_bits *bits, unsigned bit, struct view *view) {
  for (size_t i = 0; i < bits->changes; i++) {
    const struct view_change *change = &bits->change[i];
    if (change->bit != bit)
      continue;
    if (change->aspect == VIEW_FAULT)
      *view = (struct view){{0}};
    if (change->aspect == VIEW_ALLOWED)
      view->aspect[VIEW_FAULT] = NW_FAULT_PERMISSION;
    if (change->aspect == VIEW_FAULT || change->aspect == VIEW_ALLOWED) {
      view->aspect[VIEW_LEVEL] = bits->level;
      view->aspect[VIEW_STAGE] = bits->stage;
    }
    view->aspect[change->aspect] = change->value;
  }
}

void view_every_bit(struct tables *tables, const struct view_bits *bits) {
  struct view seen;
  tables_put(tables, bits->pa, bits->size, bits->raw);
  seen = view_at(tables, bits->scope, bits->va);
  view_compare(bits->name, 999, &seen, &bits->base);
  for (unsigned bit = 0; bit < 8 * bits->size; bit++) {
    struct view expected = bits->base;
    if (bits->skip >> bit & 1)
      continue;
    apply(bits, bit, &expected);
    tables_put(tables, bits->pa, bits->size, bits->raw ^ (uint64_t)1 << bit);
    seen = view_at(tables, bits->scope, bits->va);
    view_compare(bits->name, bit, &seen, &expected);
  }
  tables_put(tables, bits->pa, bits->size, bits->raw);
}
