/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands that replay traces share: options, machine, traces, progress, Ctrl-C. */
#ifndef NESTWALK_CLI_SIMULATION_H
#define NESTWALK_CLI_SIMULATION_H

#include "sim/jobs.h"

#define NW_CLI_TRACES 64
#define NW_CLI_SETS 256

/* How traces of other tools are read. */
struct nw_cli_foreign {
  const char *format;       /* NULL: told by the first bytes */
  const char *architecture; /* NULL: x86-64 */
};

struct nw_cli_simulation {
  const char *command;
  const char *machine;
  const char *trace_path[NW_CLI_TRACES];
  size_t traces;
  const char *sets[NW_CLI_SETS];
  size_t set_count;
  uint64_t limit;
  struct nw_cli_foreign foreign;
  bool quiet, verbose;

  struct nw_machine_config config;
  struct nw_trace *trace[NW_CLI_TRACES];
};

/* Those of the options below that getopt_long returned; 0 when `option` is none of them, 1 when it
 * was taken, -1 when it was refused (a message has been printed). */
#define NW_CLI_SIMULATION_SHORT "m:w:qv"
/* clang-format off */
#define NW_CLI_SIMULATION_LONG                       \
  {"machine", required_argument, NULL, 'm'},         \
  {"workload", required_argument, NULL, 'w'},        \
  {"quiet", no_argument, NULL, 'q'},                 \
  {"verbose", no_argument, NULL, 'v'},               \
  {"set", required_argument, NULL, NW_CLI_OPTION_SET}, \
  {"limit", required_argument, NULL, NW_CLI_OPTION_LIMIT}, \
  {"format", required_argument, NULL, NW_CLI_OPTION_FORMAT}, \
  {"architecture", required_argument, NULL, NW_CLI_OPTION_ARCHITECTURE}
/* clang-format on */
enum {
  NW_CLI_OPTION_SET = 1000,
  NW_CLI_OPTION_LIMIT,
  NW_CLI_OPTION_FORMAT,
  NW_CLI_OPTION_ARCHITECTURE,
  NW_CLI_OPTION_OTHERS,
};
int nw_cli_simulation_option(struct nw_cli_simulation *simulation, int option, const char *value);

/* Their description for --help. */
extern const char nw_cli_simulation_help[];

/* A whole number of `minimum` to `maximum`, nothing else. */
bool nw_cli_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value);

/* A list of modes separated by commas; 0 when it is wrong (a message has been printed). */
size_t nw_cli_modes(const char *command, const char *list, enum nw_mode modes[NW_MODES]);

/* Reads the machine file with the overrides of the command line and, on top, `count` more (at most
 * NW_CLI_SETS). NW_CLI_OK, or the exit status (a message has been printed). */
int nw_cli_simulation_machine(const struct nw_cli_simulation *simulation, const char *const *more,
                              size_t count, struct nw_machine_config *config);

/* Reads the machine file and opens the traces; NW_CLI_OK, or the exit status (a message has been
 * printed). What has been opened is closed by nw_cli_simulation_close() in either case. */
int nw_cli_simulation_open(struct nw_cli_simulation *simulation);
void nw_cli_simulation_close(struct nw_cli_simulation *simulation);

/* Runs the jobs; shows progress on a terminal; stops at Ctrl-C. NW_CLI_OK, or the exit status (a
 * message has been printed). After Ctrl-C, *interrupted is true: the jobs' results hold what had
 * been counted. */
int nw_cli_simulate(const struct nw_cli_simulation *simulation, struct nw_job *jobs, size_t count,
                    unsigned threads, bool *interrupted);

/* The path of a machine's file, to be freed; NULL with a message. */
struct nw_config_error;
char *nw_cli_find_machine(const char *machine, struct nw_config_error *error);

/* Opens a trace, of our own format or another tool's ("-": standard input), which is converted into
 * a file without a name first. NW_CLI_OK, or the exit status after a message. */
int nw_cli_open_trace(const char *path, const struct nw_cli_foreign *foreign,
                      struct nw_trace **trace);

/* Takes the value of --format or --architecture; false after a message. */
bool nw_cli_take_format(const char *command, struct nw_cli_foreign *foreign, const char *value);
bool nw_cli_take_architecture(const char *command, struct nw_cli_foreign *foreign,
                              const char *value);

/* From here on Ctrl-C and SIGTERM are only noted. */
void nw_cli_catch_interrupt(void);
bool nw_cli_interrupted(void);

/* Those that this process may use. */
unsigned nw_cli_processors(void);

#endif
