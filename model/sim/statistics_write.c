/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics as text and as JSON, and the folder that they are saved to. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/statistics.h"

static void write_line(void *context, const struct nw_statistic *statistic) {
  FILE *out = context;
  char value[40];
  if (statistic->kind == NW_STATISTIC_REAL)
    snprintf(value, sizeof value, "%.9f", statistic->real);
  else
    snprintf(value, sizeof value, "%" PRIu64, statistic->count);
  fprintf(out, "%-42s %18s  # %s (%s)\n", statistic->name, value, statistic->description,
          statistic->unit);
}

void nw_statistics_write_text(const struct nw_run_result *result, FILE *out) {
  fputs("\n---------- Begin Simulation Statistics ----------\n", out);
  nw_statistics_visit(result, write_line, out);
  fputs("\n---------- End Simulation Statistics   ----------\n", out);
}

struct object {
  json_t *json;
  bool failed;
};

static void add_member(void *context, const struct nw_statistic *statistic) {
  struct object *object = context;
  json_t *value = statistic->kind == NW_STATISTIC_REAL ? json_real(statistic->real)
                                                       : json_integer((json_int_t)statistic->count);
  if (json_object_set_new(object->json, statistic->name, value) != 0)
    object->failed = true;
}

json_t *nw_statistics_json(const struct nw_run_result *result) {
  struct object object = {.json = json_object()};
  if (!object.json)
    return NULL;
  nw_statistics_visit(result, add_member, &object);
  if (object.failed) {
    json_decref(object.json);
    return NULL;
  }
  return object.json;
}

/* -- saving ----------------------------------------------------------------------------------- */

static bool write_json(const struct nw_run_result *result, FILE *out) {
  json_t *json = nw_statistics_json(result);
  bool good = json && json_dumpf(json, out, JSON_INDENT(2)) == 0 && putc('\n', out) != EOF;
  json_decref(json);
  return good;
}

static bool write_text(const struct nw_run_result *result, FILE *out) {
  nw_statistics_write_text(result, out);
  return true;
}

static bool write_timeline(const struct nw_run_result *result, FILE *out) {
  nw_timeline_write(&result->timeline, out);
  return true;
}

static bool refuse(char error[NW_RUN_ERROR], const char *path) {
  snprintf(error, NW_RUN_ERROR, "%.500s: %s", path, strerror(errno ? errno : EIO));
  return false;
}

/* Writes a file beside its place, then moves it there. */
static bool save(const struct nw_run_result *result, const char *folder, const char *name,
                 bool (*write)(const struct nw_run_result *, FILE *), char error[NW_RUN_ERROR]) {
  char *path = NULL, *temporary = NULL;
  bool good = false;
  if (asprintf(&path, "%s/%s", folder, name) < 0)
    path = NULL;
  if (asprintf(&temporary, "%s/.%s.%ld", folder, name, (long)getpid()) < 0)
    temporary = NULL;
  FILE *out = path && temporary ? fopen(temporary, "we") : NULL;
  errno = out ? 0 : errno;
  if (out) {
    good = write(result, out);
    good = !ferror(out) && good;
    good = fclose(out) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good) {
      int cause = errno;
      unlink(temporary);
      errno = cause;
    }
  }
  if (!good)
    refuse(error, path ? path : folder);
  free(path);
  free(temporary);
  return good;
}

/* Makes a folder and those above it. */
static bool make_folder(const char *folder) {
  struct stat status;
  char *path = strdup(folder);
  for (char *slash = path; slash && (slash = strchr(slash + 1, '/'));) {
    *slash = '\0';
    mkdir(path, 0777); /* what matters is whether the last one is there afterwards */
    *slash = '/';
  }
  free(path);
  if (mkdir(folder, 0777) != 0 && errno != EEXIST)
    return false;
  if (stat(folder, &status) != 0)
    return false;
  errno = ENOTDIR;
  return S_ISDIR(status.st_mode);
}

bool nw_statistics_save(const struct nw_run_result *result, const char *folder,
                        char error[NW_RUN_ERROR]) {
  if (!make_folder(folder))
    return refuse(error, folder);
  return save(result, folder, "stats.txt", write_text, error) &&
         save(result, folder, "stats.json", write_json, error) &&
         save(result, folder, "timeline.csv", write_timeline, error);
}
