/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "cli/simulation.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sim/config.h"
#include "sim/names.h"

const char nw_cli_simulation_help[] =
    "  -m, --machine=MACHINE   a machine file, or the name of one that comes with nestwalk\n"
    "                          (looked for in the folders of NESTWALK_MACHINES first)\n"
    "  -w, --workload=TRACE    a trace that 'nestwalk record' has written, or one of lackey,\n"
    "                          ChampSim or DynamoRIO, packed or not; - is standard input\n"
    "                          ('nestwalk trace convert --help' has more)\n"
    "      --format=FORMAT     of such traces (default: told by their first bytes)\n"
    "      --architecture=A    of such traces: armv7 or x86-64 (default)\n"
    "      --set=KEY=VALUE     override a key of the machine file: mmu.l2.entries=1024,\n"
    "                          memory.caches.0.size=64KiB; may be given again\n"
    "      --limit=N           stop after N references (instructions, loads, stores)\n";

/* -- options ---------------------------------------------------------------------------------- */

bool nw_cli_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value) {
  *value = 0;
  for (const char *digit = text; *digit; digit++) {
    uint64_t one = (uint64_t)(*digit - '0');
    if (*digit < '0' || *digit > '9' || *value > (UINT64_MAX - one) / 10)
      return false;
    *value = *value * 10 + one;
  }
  return *text && *value >= minimum && *value <= maximum;
}

static int refuse(const struct nw_cli_simulation *s, const char *what, size_t most) {
  nw_cli_usage(s->command, "found more than %zu %s", most, what);
  return -1;
}

int nw_cli_simulation_option(struct nw_cli_simulation *s, int option, const char *value) {
  switch (option) {
  case 'm':
    s->machine = value;
    return 1;
  case 'w':
    if (s->traces == NW_CLI_TRACES)
      return refuse(s, "traces", NW_CLI_TRACES);
    s->trace_path[s->traces++] = value;
    return 1;
  case 'q':
    s->quiet = true;
    return 1;
  case 'v':
    s->verbose = true;
    return 1;
  case NW_CLI_OPTION_SET:
    if (s->set_count == NW_CLI_SETS)
      return refuse(s, "--set", NW_CLI_SETS);
    s->sets[s->set_count++] = value;
    return 1;
  case NW_CLI_OPTION_LIMIT:
    if (nw_cli_number(value, 1, UINT64_MAX, &s->limit))
      return 1;
    nw_cli_usage(s->command, "--limit: found '%.100s', expected a whole number from 1 on", value);
    return -1;
  case NW_CLI_OPTION_FORMAT:
    return nw_cli_take_format(s->command, &s->foreign, value) ? 1 : -1;
  case NW_CLI_OPTION_ARCHITECTURE:
    return nw_cli_take_architecture(s->command, &s->foreign, value) ? 1 : -1;
  default:
    return 0;
  }
}

static bool find_mode(const char *name, size_t length, enum nw_mode *mode) {
  for (int i = 0; i < NW_MODES; i++) {
    *mode = (enum nw_mode)i;
    if (strlen(nw_mode_names[i]) == length && !memcmp(nw_mode_names[i], name, length))
      return true;
  }
  return false;
}

size_t nw_cli_modes(const char *command, const char *list, enum nw_mode modes[NW_MODES]) {
  char names[128] = "";
  for (int i = 0; i < NW_MODES; i++) {
    strcat(names, i ? ", " : "");
    strcat(names, nw_mode_names[i]);
  }
  size_t count = 0;
  for (const char *name = list;; name++) {
    size_t length = strcspn(name, ",");
    enum nw_mode mode;
    if (!find_mode(name, length, &mode)) {
      nw_cli_usage(command, "no mode '%.*s'; the modes are %s", (int)(length < 100 ? length : 100),
                   name, names);
      return 0;
    }
    for (size_t i = 0; i < count; i++) {
      if (modes[i] == mode) {
        nw_cli_usage(command, "found the mode '%s' twice", nw_mode_names[mode]);
        return 0;
      }
    }
    modes[count++] = mode;
    name += length;
    if (!*name)
      return count;
  }
}

/* -- machine and traces ----------------------------------------------------------------------- */

/* True if this program is the one in the folder that it was built in. */
static bool in_build_tree(void) {
  char self[PATH_MAX], built[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0)
    return false;
  self[length] = '\0';
  return realpath(NW_BUILDDIR, built) && !strcmp(dirname(self), built);
}

#define FOLDERS 32

/* The folders to look for machines in: those of NESTWALK_MACHINES, then our own. `list` becomes
 * their storage, to be freed. */
static void machine_folders(const char *folders[FOLDERS], char **list) {
  size_t count = 0;
  const char *named = getenv("NESTWALK_MACHINES");
  *list = named ? strdup(named) : NULL;
  char *state = NULL;
  for (char *folder = *list ? strtok_r(*list, ":", &state) : NULL; folder && count < FOLDERS - 2;
       folder = strtok_r(NULL, ":", &state))
    folders[count++] = folder;
  folders[count++] = in_build_tree() ? NW_SRCDIR "/configs/machines" : NW_PKGDATADIR "/machines";
  folders[count] = NULL;
}

char *nw_cli_find_machine(const char *machine, struct nw_config_error *error) {
  const char *folders[FOLDERS];
  char *list;
  machine_folders(folders, &list);
  char *path = nw_config_find(machine, folders, error);
  free(list);
  return path;
}

int nw_cli_simulation_machine(const struct nw_cli_simulation *s, const char *const *more,
                              size_t count, struct nw_machine_config *config) {
  const char *sets[2 * NW_CLI_SETS];
  struct nw_config_error error = {""};
  memcpy(sets, s->sets, s->set_count * sizeof sets[0]);
  if (count)
    memcpy(sets + s->set_count, more, count * sizeof sets[0]);
  char *path = nw_cli_find_machine(s->machine, &error);
  bool good = path && nw_config_load(path, sets, s->set_count + count, config, &error);
  free(path);
  return good ? NW_CLI_OK : nw_cli_error(NW_CLI_USAGE, "%s", error.message);
}

int nw_cli_simulation_open(struct nw_cli_simulation *s) {
  if (!s->machine)
    return nw_cli_usage(s->command, "no machine; expected -m MACHINE");
  if (!s->traces)
    return nw_cli_usage(s->command, "no trace; expected -w TRACE");
  int status = nw_cli_simulation_machine(s, NULL, 0, &s->config);
  for (size_t i = 0; i < s->traces && status == NW_CLI_OK; i++)
    status = nw_cli_open_trace(s->trace_path[i], &s->foreign, &s->trace[i]);
  return status;
}

void nw_cli_simulation_close(struct nw_cli_simulation *s) {
  for (size_t i = 0; i < s->traces; i++)
    nw_trace_close(s->trace[i]);
}

/* -- running ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupt;

static void note_interrupt(int signal_number) {
  (void)signal_number;
  interrupt = 1;
}

static bool is_interrupted(void *context) {
  (void)context;
  return interrupt;
}

void nw_cli_catch_interrupt(void) {
  struct sigaction action = {.sa_handler = note_interrupt};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

bool nw_cli_interrupted(void) {
  return interrupt;
}

unsigned nw_cli_processors(void) {
  cpu_set_t set;
  int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return count > 0 ? (unsigned)count : 1;
}

static void show_progress(void *context, const struct nw_jobs_progress *p) {
  (void)context;
  double rate = p->seconds > 0.0 ? (double)p->replayed / p->seconds : 0.0;
  double left = rate > 0.0 ? (double)(p->total - p->replayed) / rate : 0.0;
  double done = p->total ? 100.0 * (double)p->replayed / (double)p->total : 100.0;
  fprintf(stderr, "\r%5.1f %%  %.1f of %.1f M references  %.1f M/s  %d:%02d left ", done,
          1e-6 * (double)p->replayed, 1e-6 * (double)p->total, 1e-6 * rate, (int)left / 60,
          (int)left % 60);
  fflush(stderr);
}

static void warn_of_orphans(const struct nw_job *jobs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool told = i > 0 && jobs[i].trace == jobs[i - 1].trace;
    if (jobs[i].result.orphans && !told)
      fprintf(stderr, "nestwalk: %s: %" PRIu64 " streams that nobody forks were replayed last\n",
              nw_trace_path(jobs[i].trace), jobs[i].result.orphans);
  }
}

static void tell_speed(const struct nw_jobs_progress *p) {
  fprintf(stderr, "%.1f M references in %.2f s: %.1f M a second\n", 1e-6 * (double)p->replayed,
          p->seconds, p->seconds > 0.0 ? 1e-6 * (double)p->replayed / p->seconds : 0.0);
}

static void keep_progress(void *context, const struct nw_jobs_progress *progress) {
  struct nw_jobs_progress *last = context;
  *last = *progress;
  if (isatty(STDERR_FILENO))
    show_progress(NULL, progress);
}

int nw_cli_simulate(const struct nw_cli_simulation *s, struct nw_job *jobs, size_t count,
                    unsigned threads, bool *interrupted) {
  struct sigaction action = {.sa_handler = note_interrupt}, old_interrupt, old_terminate;
  struct nw_jobs_progress last = {0, 0, 0.0};
  struct nw_jobs_watch watch = {
      .progress = s->quiet ? NULL : keep_progress, .stop = is_interrupted, .context = &last};
  sigaction(SIGINT, &action, &old_interrupt);
  sigaction(SIGTERM, &action, &old_terminate);
  bool good = nw_jobs_run(jobs, count, threads, &watch);
  sigaction(SIGINT, &old_interrupt, NULL);
  sigaction(SIGTERM, &old_terminate, NULL);
  if (!s->quiet && isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
  *interrupted = interrupt && !good;
  const struct nw_job *failed = nw_jobs_failed(jobs, count);
  if (failed)
    return nw_cli_error(failed->status == NW_RUN_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED, "%s",
                        failed->error);
  if (s->verbose && !s->quiet)
    tell_speed(&last);
  warn_of_orphans(jobs, count);
  if (good)
    return NW_CLI_OK;
  return nw_cli_error(NW_CLI_FAILED, "interrupted: what follows is what had been counted");
}
