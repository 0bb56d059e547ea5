/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk trace synth: writes a trace of a program that does not exist. */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmd_trace_synth.h"
#include "cli/simulation.h"
#include "config.h"
#include "record/program.h"
#include "trace/synthetic.h"

#define PAGE UINT64_C(4096)
#define OTHERS 9 /* options that are no setting */
#define COMMAND "trace synth"

static const char help[] =
    "Usage: nestwalk trace synth -o TRACE [OPTION]...\n"
    "\n"
    "Writes the trace of a program that does not exist: loads and stores over a footprint, with\n"
    "the locality, and with as many page-table writes by its kernel, as one asks for. The same\n"
    "options give the same trace.\n"
    "\n"
    "  -o, --output=TRACE     the trace\n"
    "      --references=N     its length in instructions, loads and stores (default 10000000)\n"
    "      --processes=N      processes that share the references (default 1)\n"
    "      --seed=N           of the random numbers (default 1)\n"
    "      --architecture=NAME  of the machines that are to run it: armv7 (default), x86-64\n"
    "      --phases=PHASE/PHASE...  what a process does in turns, again and again. A PHASE is\n"
    "                         references=N and any of the settings below, separated by commas;\n"
    "                         those that it does not name are as given outside\n"
    "\n"
    "Settings:\n"
    "      --footprint=BYTES  of data of each process (default 8M), in whole pages\n"
    "      --locality=HOW     where loads and stores go (default uniform):\n"
    "                           uniform               any word of the footprint\n"
    "                           zipf[:EXPONENT]       the k-th page with weight 1/k^EXPONENT "
    "(0.8)\n"
    "                           sequential[:STRIDE]   STRIDE bytes on each time (64)\n"
    "                           working-set[:BYTES[:N]]  a window of BYTES (1M) that moves after\n"
    "                                                 each N loads and stores (100000)\n"
    "      --writes=PERCENT   stores among loads and stores (default 30)\n"
    "      --instructions=N   for each load or store (default 3)\n"
    "      --pte-writes=RATE[:HOW[:PAGES]]  page-table entries that the guest's kernel writes per\n"
    "                         million references (default 0), besides those of first touches, by\n"
    "                         asking it, for PAGES (16) at a time, to\n"
    "                           map      map pages, store to each, unmap them (default)\n"
    "                           protect  make pages read-only, or writable again\n"
    "                           fork     fork a child that stores to that many pages, and wait\n"
    "\n"
    "  -q, -v                 taken as everywhere; there is no progress to silence or to tell\n"
    "      --help             this text\n"
    "\n"
    "BYTES: 4096, 64K, 8M, 1G. Exit status: 0 success, 1 the trace could not be written, 2 wrong\n"
    "usage.\n"
    "\n"
    "Examples:\n"
    "  nestwalk trace synth -o random.nwt --footprint=64M --references=20000000\n"
    "  nestwalk trace synth -o server.nwt --locality=zipf:1.1 --processes=4 --pte-writes=500:fork\n"
    "  nestwalk trace synth -o phased.nwt \\\n"
    "      --phases=references=2000000,footprint=32M/references=2000000,pte-writes=20000\n";

struct options {
  const char *output;
  const char *phases;
  const char *architecture;
  struct nw_synthetic synthetic;
};

/* -- values ----------------------------------------------------------------------------------- */

static bool parse_bytes(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *bytes) {
  static const struct {
    const char *name;
    unsigned log2;
  } units[] = {{"", 0}, {"K", 10}, {"KiB", 10}, {"M", 20}, {"MiB", 20}, {"G", 30}, {"GiB", 30}};
  char number[24] = "";
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 19)
    return false;
  memcpy(number, text, digits);
  uint64_t value = strtoull(number, NULL, 10);
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(text + digits, units[i].name) != 0)
      continue;
    if (value > maximum >> units[i].log2)
      return false;
    *bytes = value << units[i].log2;
    return *bytes >= minimum;
  }
  return false;
}

static bool parse_real(const char *text, double minimum, double maximum, double *value) {
  char *end;
  if (text[strspn(text, "0123456789.")] != '\0')
    return false;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && *value >= minimum && *value <= maximum;
}

/* Takes the part before the next colon off `*rest`; NULL when there is none left. */
static char *next_part(char **rest) {
  return strsep(rest, ":");
}

/* Each takes a value apart, which it may change; false when it is wrong. */

static bool take_references(struct nw_synthetic_phase *p, char *value) {
  return nw_cli_number(value, 1, UINT64_C(1) << 48, &p->references);
}

static bool take_footprint(struct nw_synthetic_phase *p, char *value) {
  if (!parse_bytes(value, 1, NW_SYNTHETIC_FOOTPRINT_MAX, &p->footprint))
    return false;
  p->footprint = (p->footprint + PAGE - 1) / PAGE * PAGE;
  return true;
}

static bool take_zipf(struct nw_synthetic_phase *p, char **rest) {
  const char *exponent = next_part(rest);
  return exponent == NULL || parse_real(exponent, 0.0, 100.0, &p->exponent);
}

static bool take_sequential(struct nw_synthetic_phase *p, char **rest) {
  const char *stride = next_part(rest);
  return stride == NULL ||
         (parse_bytes(stride, 4, NW_SYNTHETIC_FOOTPRINT_MAX, &p->stride) && p->stride % 4 == 0);
}

static bool take_working_set(struct nw_synthetic_phase *p, char **rest) {
  const char *window = next_part(rest), *stays = next_part(rest);
  if (window != NULL && !parse_bytes(window, 1, NW_SYNTHETIC_FOOTPRINT_MAX, &p->window))
    return false;
  p->window = (p->window + PAGE - 1) / PAGE * PAGE;
  return stays == NULL || nw_cli_number(stays, 1, UINT64_MAX, &p->window_stays);
}

static bool take_uniform(struct nw_synthetic_phase *p, char **rest) {
  (void)p, (void)rest;
  return true;
}

static bool take_locality(struct nw_synthetic_phase *p, char *value) {
  static const struct {
    const char *name;
    enum nw_locality locality;
    bool (*take)(struct nw_synthetic_phase *p, char **rest);
  } localities[] = {
      {"uniform", NW_LOCALITY_UNIFORM, take_uniform},
      {"zipf", NW_LOCALITY_ZIPF, take_zipf},
      {"sequential", NW_LOCALITY_SEQUENTIAL, take_sequential},
      {"working-set", NW_LOCALITY_WORKING_SET, take_working_set},
  };
  char *rest = value;
  const char *name = next_part(&rest);
  for (size_t i = 0; i < sizeof localities / sizeof localities[0]; i++) {
    if (strcmp(name, localities[i].name) != 0)
      continue;
    p->locality = localities[i].locality;
    return localities[i].take(p, &rest) && rest == NULL;
  }
  return false;
}

static bool take_writes(struct nw_synthetic_phase *p, char *value) {
  double percent = 0.0;
  bool good = parse_real(value, 0.0, 100.0, &percent);
  p->stores = percent / 100.0;
  return good;
}

static bool take_instructions(struct nw_synthetic_phase *p, char *value) {
  uint64_t number;
  bool good = nw_cli_number(value, 1, NW_SYNTHETIC_INSTRUCTIONS_MAX, &number);
  p->instructions = (uint32_t)number;
  return good;
}

static bool take_pte_writes(struct nw_synthetic_phase *p, char *value) {
  static const char *const names[] = {
      [NW_CHURN_MAP] = "map", [NW_CHURN_PROTECT] = "protect", [NW_CHURN_FORK] = "fork"};
  char *rest = value;
  const char *rate = next_part(&rest), *how = next_part(&rest), *pages = next_part(&rest);
  uint64_t batch = p->batch;
  size_t i = 0;
  while (how != NULL && i < sizeof names / sizeof names[0] && strcmp(how, names[i]) != 0)
    i++;
  if (i == sizeof names / sizeof names[0] || rest != NULL ||
      !parse_real(rate, 0.0, 1e6, &p->pte_writes) ||
      (pages != NULL && !nw_cli_number(pages, 1, NW_SYNTHETIC_BATCH_MAX, &batch)))
    return false;
  p->churn = (enum nw_churn)i;
  p->batch = (uint32_t)batch;
  return true;
}

static const struct setting {
  const char *name;
  bool (*take)(struct nw_synthetic_phase *phase, char *value);
  const char *expected;
} settings[] = {
    /* the first is of phases only: --references is the whole trace's */
    {"references", take_references, "a whole number from 1 on"},
    {"footprint", take_footprint, "a size from 1 to 2G bytes"},
    {"locality", take_locality,
     "uniform, zipf[:EXPONENT], sequential[:STRIDE] (a multiple of 4) or "
     "working-set[:BYTES[:N]]"},
    {"writes", take_writes, "a percentage from 0 to 100"},
    {"instructions", take_instructions, "a whole number from 1 to 1000"},
    {"pte-writes", take_pte_writes,
     "RATE[:HOW[:PAGES]]: a number from 0 to 1000000; map, protect or fork; 1 to 256"},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

/* False after a message when the value is wrong. `where` is an option or what stands for it. */
static bool apply(const struct setting *setting, const char *where, const char *value,
                  struct nw_synthetic_phase *phase) {
  char *copy = strdup(value);
  bool good = copy != NULL && setting->take(phase, copy);
  free(copy);
  if (!good)
    nw_cli_usage(COMMAND, "%s%s: found '%.100s', expected %s", where, setting->name, value,
                 setting->expected);
  return good;
}

/* -- phases ----------------------------------------------------------------------------------- */

static const struct setting *find_setting(const char *name) {
  for (size_t i = 0; i < SETTINGS; i++)
    if (strcmp(settings[i].name, name) == 0)
      return &settings[i];
  return NULL;
}

/* NAME=VALUE,NAME=VALUE... */
static bool parse_phase(char *text, struct nw_synthetic_phase *phase) {
  char *rest = text;
  for (char *item; (item = strsep(&rest, ",")) != NULL;) {
    const char *name = strsep(&item, "=");
    const struct setting *setting = find_setting(name);
    if (setting == NULL || item == NULL) {
      nw_cli_usage(COMMAND, "--phases: found '%.100s', expected a setting such as footprint=8M",
                   name);
      return false;
    }
    if (!apply(setting, "--phases: ", item, phase))
      return false;
  }
  if (phase->references == 0)
    nw_cli_usage(COMMAND, "--phases: a phase without references=N, its length");
  return phase->references != 0;
}

static bool parse_phases(const char *text, struct nw_synthetic *synthetic) {
  const struct nw_synthetic_phase outside = synthetic->phase[0];
  char *copy = strdup(text), *rest = copy;
  bool good = copy != NULL;
  synthetic->phases = 0;
  for (char *phase; good && (phase = strsep(&rest, "/")) != NULL; synthetic->phases++) {
    if (synthetic->phases == NW_SYNTHETIC_PHASES_MAX) {
      nw_cli_usage(COMMAND, "--phases: found more than %d phases", NW_SYNTHETIC_PHASES_MAX);
      good = false;
      break;
    }
    synthetic->phase[synthetic->phases] = outside;
    good = parse_phase(phase, &synthetic->phase[synthetic->phases]);
  }
  free(copy);
  return good;
}

/* What only the whole of a phase's settings tells. */
static bool check_phases(const struct nw_synthetic *synthetic) {
  for (uint32_t i = 0; i < synthetic->phases; i++) {
    const struct nw_synthetic_phase *p = &synthetic->phase[i];
    const char *larger =
        p->locality == NW_LOCALITY_WORKING_SET && p->window > p->footprint  ? "window"
        : p->locality == NW_LOCALITY_SEQUENTIAL && p->stride > p->footprint ? "stride"
                                                                            : NULL;
    if (larger != NULL) {
      nw_cli_usage(COMMAND,
                   "--locality: a %s of %" PRIu64 " bytes in a footprint of %" PRIu64
                   " bytes, expected at most as much",
                   larger, larger[0] == 'w' ? p->window : p->stride, p->footprint);
      return false;
    }
  }
  return true;
}

/* -- the command ------------------------------------------------------------------------------ */

enum {
  OPTION_SETTING = 1000, /* and on: the place in `settings` */
  OPTION_REFERENCES = 2000,
  OPTION_PROCESSES,
  OPTION_SEED,
  OPTION_PHASES,
  OPTION_ARCHITECTURE,
  OPTION_HELP,
};

static bool take_number(const char *option, const char *text, uint64_t minimum, uint64_t maximum,
                        uint64_t *value) {
  if (nw_cli_number(text, minimum, maximum, value))
    return true;
  nw_cli_usage(COMMAND,
               "--%s: found '%.100s', expected a whole number from %" PRIu64 " to %" PRIu64, option,
               text, minimum, maximum);
  return false;
}

static bool take_architecture(const char *text, const char **name) {
  for (const struct nw_guest_arch *arch = nw_guest_archs; arch->name != NULL; arch++) {
    if (strcmp(arch->name, text) != 0)
      continue;
    *name = arch->name;
    return true;
  }
  nw_cli_usage(COMMAND, "--architecture: found '%.100s', expected armv7 or x86-64", text);
  return false;
}

static bool take_option(struct options *o, int option, char **argv) {
  uint64_t processes;
  switch (option) {
  case 'o':
    o->output = optarg;
    return true;
  case 'q':
  case 'v':
    return true;
  case OPTION_REFERENCES:
    return take_number("references", optarg, 1, UINT64_C(1) << 48, &o->synthetic.references);
  case OPTION_PROCESSES:
    if (!take_number("processes", optarg, 1, NW_SYNTHETIC_PROCESSES_MAX, &processes))
      return false;
    o->synthetic.processes = (uint32_t)processes;
    return true;
  case OPTION_SEED:
    return take_number("seed", optarg, 0, UINT64_MAX, &o->synthetic.seed);
  case OPTION_PHASES:
    o->phases = optarg;
    return true;
  case OPTION_ARCHITECTURE:
    return take_architecture(optarg, &o->architecture);
  default:
    if (option >= OPTION_SETTING && option < OPTION_SETTING + SETTINGS)
      return apply(&settings[option - OPTION_SETTING], "--", optarg, &o->synthetic.phase[0]);
    nw_cli_bad_option(COMMAND, option, argv);
    return false;
  }
}

static void list_options(struct option longs[SETTINGS + OTHERS]) {
  static const struct option others[] = {
      {"output", required_argument, NULL, 'o'},
      {"references", required_argument, NULL, OPTION_REFERENCES},
      {"processes", required_argument, NULL, OPTION_PROCESSES},
      {"seed", required_argument, NULL, OPTION_SEED},
      {"phases", required_argument, NULL, OPTION_PHASES},
      {"architecture", required_argument, NULL, OPTION_ARCHITECTURE},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
  };
  size_t count = 0;
  for (int i = 1; i < SETTINGS; i++)
    longs[count++] = (struct option){settings[i].name, required_argument, NULL, OPTION_SETTING + i};
  memcpy(&longs[count], others, sizeof others);
  longs[count + sizeof others / sizeof others[0]] = (struct option){NULL, 0, NULL, 0};
}

/* Returns -1 to go on, or the exit status. */
static int parse(int argc, char **argv, struct options *o) {
  struct option longs[SETTINGS + OTHERS];
  list_options(longs);
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, ":o:qv", longs, NULL)) != -1;) {
    if (c == OPTION_HELP) {
      fputs(help, stdout);
      return nw_cli_finish(NW_CLI_OK);
    }
    if (!take_option(o, c, argv))
      return NW_CLI_USAGE;
  }
  if (optind < argc)
    return nw_cli_usage(COMMAND, "found '%.100s', expected options only", argv[optind]);
  if (o->output == NULL || o->output[0] == '\0')
    return nw_cli_usage(COMMAND, "no output file; expected -o TRACE");
  if ((o->phases != NULL && !parse_phases(o->phases, &o->synthetic)) ||
      !check_phases(&o->synthetic))
    return NW_CLI_USAGE;
  return -1;
}

/* The command line without the trace's name: it goes into the trace, and the same options are to
 * give the same bytes. `kept` has room for all. Returns how many are kept. */
static size_t keep_settings(int argc, char **argv, const char **kept) {
  size_t count = 0;
  for (int i = 0; i < argc; i++) {
    bool names_output = !strncmp(argv[i], "-o", 2) || !strncmp(argv[i], "--o", 3);
    if (!names_output)
      kept[count++] = argv[i];
    else if (!strcmp(argv[i], "-o") || (argv[i][1] == '-' && strchr(argv[i], '=') == NULL))
      i++;
  }
  return count;
}

static int synthesize(const struct options *o, const char *const *arguments, size_t count) {
  struct nw_trace_header header = {.recorder = PACKAGE_STRING,
                                   .architecture = o->architecture,
                                   .argc = count,
                                   .argv = arguments};
  struct nw_trace_error error;
  if (nw_synthetic_write(o->output, &o->synthetic, &header, &error) == NW_TRACE_OK)
    return NW_CLI_OK;
  return nw_cli_error(NW_CLI_FAILED, "%s", error.message);
}

int nw_cmd_trace_synth(int argc, char **argv) {
  struct options o = {
      .synthetic = {.phases = 1, .processes = 1, .references = 10000000, .seed = 1}};
  o.synthetic.phase[0] = nw_synthetic_phase_default();
  const char **kept = calloc((size_t)argc + 1, sizeof *kept);
  if (kept == NULL)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  size_t count = keep_settings(argc, argv, kept); /* before getopt_long() sorts them */
  int status = parse(argc, argv, &o);
  if (status < 0)
    status = synthesize(&o, kept, count);
  free(kept);
  return status;
}
