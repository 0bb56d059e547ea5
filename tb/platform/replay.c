/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "sim/names.h"
#include "sim/run.h"
#include "sim/statistics.h"

#define FOLDERS 32

struct nw_replay {
  struct nw_replay_request request;
  struct nw_machine_config config;
  struct nw_trace *trace;
  struct nw_run_result result;
};

_Static_assert(NW_REPLAY_ERROR == NW_RUN_ERROR, "messages of a run fit");

/* The folders of NESTWALK_MACHINES, then the source tree's. `list` is their storage, to be
 * freed. */
static void machine_folders(const char *folders[FOLDERS], char **list) {
  size_t count = 0;
  const char *named = getenv("NESTWALK_MACHINES");
  char *state = NULL;
  *list = strdup(named != NULL ? named : "");
  for (char *folder = *list != NULL ? strtok_r(*list, ":", &state) : NULL;
       folder != NULL && count < FOLDERS - 2; folder = strtok_r(NULL, ":", &state))
    folders[count++] = folder;
  folders[count++] = NW_SRCDIR "/configs/machines";
  folders[count] = NULL;
}

static bool open_machine(struct nw_replay *r, char *message) {
  const char *folders[FOLDERS];
  char *list;
  struct nw_config_error error = {""};
  machine_folders(folders, &list);
  char *path = nw_config_find(r->request.machine, folders, &error);
  bool good = path != NULL &&
              nw_config_load(path, r->request.sets, r->request.set_count, &r->config, &error);
  free(path);
  free(list);
  if (!good)
    snprintf(message, NW_REPLAY_ERROR, "%s", error.message);
  return good;
}

struct nw_replay *nw_replay_open(const struct nw_replay_request *request,
                                 char message[NW_REPLAY_ERROR]) {
  struct nw_replay *r = calloc(1, sizeof *r);
  struct nw_trace_error error;
  if (r == NULL) {
    snprintf(message, NW_REPLAY_ERROR, "out of memory");
    return NULL;
  }
  r->request = *request;
  if (!open_machine(r, message)) {
    nw_replay_close(r);
    return NULL;
  }
  if (nw_trace_open(request->trace, &r->trace, &error) != NW_TRACE_OK) {
    snprintf(message, NW_REPLAY_ERROR, "%s", error.message);
    nw_replay_close(r);
    return NULL;
  }
  return r;
}

void nw_replay_close(struct nw_replay *r) {
  if (r == NULL)
    return;
  nw_trace_close(r->trace);
  free(r);
}

struct nw_machine_config *nw_replay_config(struct nw_replay *r) {
  return &r->config;
}

bool nw_replay_run(struct nw_replay *r, char message[NW_REPLAY_ERROR]) {
  struct nw_run_control control = {.limit = r->request.limit};
  return nw_run(r->trace, &r->config, r->request.mode, &control, &r->result, message) == NW_RUN_OK;
}

struct nw_machine *nw_machine_create(const struct nw_machine_config *config, enum nw_mode mode,
                                     char *error, size_t error_size) {
  struct nw_machine *machine = nw_software_machine_create(config, mode, error, error_size);
  nw_software_booted(machine);
  return machine;
}

bool nw_replay_count(const struct nw_replay *r, const char *name, uint64_t *count) {
  return nw_statistics_find(&r->result, name, count);
}

uint64_t nw_replay_cycles(const struct nw_replay *r) {
  return nw_run_cycles(&r->result);
}

uint64_t nw_replay_references(const struct nw_replay *r) {
  return nw_run_references(&r->result);
}

void nw_replay_set_walker_reads(struct nw_replay *r, uint64_t reads) {
  r->result.dram[NW_BY_WALKER] = reads;
}

bool nw_replay_save(const struct nw_replay *r, const char *folder, char message[NW_REPLAY_ERROR]) {
  return nw_statistics_save(&r->result, folder, message);
}

bool nw_replay_mode(const char *name, enum nw_mode *mode) {
  static const enum nw_mode possible[] = {NW_MODE_NATIVE, NW_MODE_NESTED};
  for (size_t i = 0; i < sizeof possible / sizeof possible[0]; i++) {
    *mode = possible[i];
    if (strcmp(name, nw_mode_names[possible[i]]) == 0)
      return true;
  }
  return false;
}
