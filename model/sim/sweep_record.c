/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sweep_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/names.h"
#include "sim/statistics.h"
#include "sim/statistics_choice.h"
#include "sim/sweep_run.h"

void nw_value_list_add(struct nw_value_list *list, const struct nw_statistic *statistic) {
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 64;
    struct nw_results_value *values = realloc(list->values, room * sizeof *values);
    list->failed |= !values;
    if (!values)
      return;
    list->values = values;
    list->room = room;
  }
  char *name = strdup(statistic->name);
  list->failed |= !name;
  if (!name)
    return;
  list->values[list->count++] =
      (struct nw_results_value){.name = name,
                                .unit = statistic->unit,
                                .description = statistic->description,
                                .is_real = statistic->kind == NW_STATISTIC_REAL,
                                .count = statistic->count,
                                .real = statistic->real};
}

void nw_value_list_release(struct nw_value_list *list) {
  for (size_t i = 0; i < list->count; i++)
    free((void *)(uintptr_t)list->values[i].name);
  free(list->values);
  *list = (struct nw_value_list){NULL, 0, 0, false};
}

struct filter {
  struct nw_value_list *list;
  const struct nw_file_sweep *file;
};

static void add_if_chosen(void *context, const struct nw_statistic *statistic) {
  struct filter *filter = context;
  if (nw_statistic_chosen(filter->file->statistics, filter->file->statistics_count,
                          statistic->name))
    nw_value_list_add(filter->list, statistic);
}

void nw_value_list_from(struct nw_value_list *list, const struct nw_sweep_plan *plan,
                        const struct nw_run_result *result) {
  struct filter filter = {list, plan->sweep->file};
  nw_statistics_visit(result, add_if_chosen, &filter);
}

static void write_command(const struct nw_trace_header *header, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < header->argc && used < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", header->argv[i]);
}

struct nw_results_point nw_sweep_record(const struct nw_sweep_plan *plan,
                                        const struct nw_point *point, const char *method,
                                        double seconds, const struct nw_value_list *list,
                                        struct nw_record_scratch *scratch) {
  const struct nw_trace *trace = plan->traces[point->workload];
  const struct nw_trace_header *header = nw_trace_get_header(trace);
  const struct nw_sweep *sweep = plan->sweep;
  time_t now = time(NULL);
  struct tm tm;
  strftime(scratch->finished, sizeof scratch->finished, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
  snprintf(scratch->checksum, sizeof scratch->checksum, "%016" PRIx64, header->checksum);
  write_command(header, scratch->command, sizeof scratch->command);
  return (struct nw_results_point){
      .key = point->key,
      .version = nw_sweep_version,
      .mode = nw_mode_names[point->mode],
      .method = method,
      .finished = scratch->finished,
      .seed = point->seed,
      .limit = sweep->file->limit,
      .seconds = seconds,
      .machine = {point->config.name, point->machine_text},
      .sweep = {sweep->file->title ? sweep->file->title : sweep->path, sweep->text},
      .trace = {nw_trace_path(trace), scratch->checksum, scratch->command, header->architecture,
                nw_trace_references(nw_trace_totals(trace))},
      .values = list->values,
      .value_count = list->count,
  };
}
