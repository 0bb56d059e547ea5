/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk explain: how a translation comes about, of a case file's query or a trace's record. */
#include "case/case.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/explain_trace.h"

#define LATENCY 100

static void help(void) {
  printf(
      "Usage: nestwalk explain [OPTION...] CASE [QUERY]\n"
      "       nestwalk explain -m MACHINE -w TRACE --at=RECORD [OPTION...]\n"
      "\n"
      "Shows one translation, reference by reference: why each descriptor is read where it is,\n"
      "what it says, what it costs and what comes of it; then the walk as a grid, the levels of\n"
      "stage 1 across and those of stage 2 down. What a cache made unnecessary is named as "
      "skipped.\n"
      "\n"
      "CASE is a case file (-: standard input), QUERY the number of a query, 1 is the first one;\n"
      "without it every query is explained. With -m and -w the machine runs the trace up to "
      "RECORD,\n"
      "whose access is then explained with what is in the TLBs and caches by then. RECORD is the\n"
      "number that 'nestwalk trace dump' prints before a block, load or store.\n"
      "\n"
      "  -o, --output=FILE     write there instead of to standard output\n"
      "      --format=FORMAT   of the output: text, or svg: the grids alone, as a picture "
      "(default:\n"
      "                        svg where FILE ends in .svg, else text)\n"
      "      --svg=FILE        draw the picture as well\n"
      "  -q, -v                taken as everywhere; there is no progress to silence or to tell\n"
      "      --help\n"
      "\n"
      "Of a case file:\n"
      "      --latency=N       cycles of each memory access of the walker (default %d), to which "
      "its\n"
      "                        own steps are added\n"
      "      --keep-state      with TLBs and caches, as 'nestwalk translate --keep-state': they "
      "hold\n"
      "                        what the queries before have left there\n"
      "\n"
      "Of a trace:\n"
      "  -m, --machine=MACHINE a machine file, or the name of one that comes with nestwalk\n"
      "  -w, --workload=TRACE  a trace that 'nestwalk record' has written\n"
      "      --at=RECORD       which record\n"
      "      --stream=N        of which stream (default 0)\n"
      "  -p, --mode=MODE       native, nested, shadow, selective or agile (default nested)\n"
      "      --set=KEY=VALUE   override a key of the machine file; may be given again\n"
      "\n"
      "Examples:\n"
      "  nestwalk explain walk.case 2\n"
      "  nestwalk explain --keep-state -o walk.svg walk.case 5\n"
      "  nestwalk explain -m cortex-a15 -w sort.nwt --at=100000 -p shadow --svg=walk.svg\n",
      LATENCY);
}

enum format { FORMAT_BY_NAME = 0, FORMAT_TEXT, FORMAT_SVG };

enum {
  OPTION_HELP = NW_CLI_OPTION_OTHERS,
  OPTION_FORMAT,
  OPTION_SVG,
  OPTION_LATENCY,
  OPTION_KEEP_STATE,
  OPTION_AT,
  OPTION_STREAM,
};

struct options {
  struct nw_cli_simulation simulation;
  struct nw_case_explaining explaining;
  const char *case_path;
  const char *output, *svg;
  enum format format;
  enum nw_mode modes[NW_MODES];
  uint64_t at, stream;
  bool has_at, help;
  const char *of_case, *of_trace; /* an option given that belongs to only one of the forms */
};

/* -- options ----------------------------------------------------------------------------------- */

static bool take_number(const char *name, const char *text, uint64_t minimum, uint64_t maximum,
                        uint64_t *value) {
  if (nw_cli_number(text, minimum, maximum, value))
    return true;
  nw_cli_usage("explain", "%s: found '%.100s', expected a number from %" PRIu64 " to %" PRIu64,
               name, text, minimum, maximum);
  return false;
}

static bool take_format(struct options *o, const char *text) {
  if (strcmp(text, "text") == 0)
    o->format = FORMAT_TEXT;
  else if (strcmp(text, "svg") == 0)
    o->format = FORMAT_SVG;
  else
    nw_cli_usage("explain", "--format: found '%.100s', expected text or svg", text);
  return o->format != FORMAT_BY_NAME;
}

static bool take_mode(struct options *o, const char *text) {
  size_t modes = nw_cli_modes("explain", text, o->modes);
  if (modes > 1)
    nw_cli_usage("explain", "found %zu modes, expected one", modes);
  return modes == 1;
}

static bool take_option(struct options *o, int option, char **argv) {
  uint64_t latency;
  switch (option) {
  case 'o':
    o->output = optarg;
    return true;
  case OPTION_SVG:
    o->svg = optarg;
    return true;
  case OPTION_FORMAT:
    return take_format(o, optarg);
  case OPTION_LATENCY:
    o->of_case = "--latency";
    if (!take_number("--latency", optarg, 0, 1000000, &latency))
      return false;
    o->explaining.latency = (uint32_t)latency;
    return true;
  case OPTION_KEEP_STATE:
    o->of_case = "--keep-state";
    o->explaining.keep_state = true;
    return true;
  case OPTION_AT:
    o->of_trace = "--at";
    o->has_at = true;
    return take_number("--at", optarg, 0, UINT64_MAX, &o->at);
  case OPTION_STREAM:
    o->of_trace = "--stream";
    return take_number("--stream", optarg, 0, NW_TRACE_STREAMS_MAX - 1, &o->stream);
  case 'p':
    o->of_trace = "-p";
    return take_mode(o, optarg);
  case 'h':
  case OPTION_HELP:
    o->help = true;
    return true;
  default:
    nw_cli_bad_option("explain", option, argv);
    return false;
  }
}

/* Whether the output itself is to be a picture. */
static bool output_is_svg(const struct options *o) {
  size_t length = o->output ? strlen(o->output) : 0;
  bool named = length > 4 && strcmp(o->output + length - 4, ".svg") == 0;
  return o->format == FORMAT_SVG || (o->format == FORMAT_BY_NAME && named);
}

/* Whether what was given belongs together. */
static bool check_form(struct options *o, int arguments, char **argument) {
  const struct nw_cli_simulation *s = &o->simulation;
  bool of_trace = s->machine || s->traces || o->of_trace || s->set_count;
  if (of_trace && arguments > 0)
    nw_cli_usage("explain", "found '%.100s', expected either a case file or a machine and a trace",
                 argument[0]);
  else if (of_trace && o->of_case)
    nw_cli_usage("explain", "%s goes with a case file", o->of_case);
  else if (of_trace && s->traces > 1)
    nw_cli_usage("explain", "found %zu traces, expected one", s->traces);
  else if (of_trace && !o->has_at)
    nw_cli_usage("explain", "which record? expected --at=RECORD");
  else if (!of_trace && arguments == 0)
    nw_cli_usage("explain", "which case file?");
  else if (!of_trace && arguments > 2)
    nw_cli_usage("explain", "one case file and one query, please");
  else if (o->svg && output_is_svg(o))
    nw_cli_usage("explain", "found --svg and an output that is a picture, expected one picture");
  else if (arguments == 2 && !nw_cli_number(argument[1], 1, UINT64_MAX, &o->explaining.query))
    nw_cli_usage("explain", "found query '%.100s', expected a number from 1 on", argument[1]);
  else {
    o->case_path = of_trace ? NULL : argument[0];
    return true;
  }
  return false;
}

/* False when they are wrong; a message has been printed. */
static bool parse(int argc, char **argv, struct options *o) {
  static const struct option options[] = {
      {"format", required_argument, NULL, OPTION_FORMAT}, /* of the output: before that of traces */
      NW_CLI_SIMULATION_LONG,
      {"mode", required_argument, NULL, 'p'},
      {"output", required_argument, NULL, 'o'},
      {"svg", required_argument, NULL, OPTION_SVG},
      {"latency", required_argument, NULL, OPTION_LATENCY},
      {"keep-state", no_argument, NULL, OPTION_KEEP_STATE},
      {"at", required_argument, NULL, OPTION_AT},
      {"stream", required_argument, NULL, OPTION_STREAM},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, ":hp:o:" NW_CLI_SIMULATION_SHORT, options, NULL)) !=
         -1) {
    int taken = nw_cli_simulation_option(&o->simulation, option, optarg);
    if (taken < 0 || (taken == 0 && !take_option(o, option, argv)))
      return false;
    if (o->help)
      return true;
  }
  return check_form(o, argc - optind, argv + optind);
}

/* -- output ------------------------------------------------------------------------------------ */

static FILE *open_output(const char *path) {
  FILE *out = fopen(path, "we");
  if (!out)
    nw_cli_error(NW_CLI_FAILED, "%s: cannot be written: %s", path, strerror(errno));
  return out;
}

/* Closes what open_output() opened; NW_CLI_OK, or NW_CLI_FAILED with a message. */
static int close_output(FILE *out, const char *path) {
  bool whole = !ferror(out);
  if (fclose(out) == 0 && whole)
    return NW_CLI_OK;
  return nw_cli_error(NW_CLI_FAILED, "%s: cannot be written: %s", path, strerror(errno));
}

/* The picture, or nothing of it when `status` is not NW_CLI_OK; `path` NULL: to standard output. */
static int save_drawing(struct nw_drawing *drawing, const char *path, int status) {
  FILE *out = status != NW_CLI_OK ? NULL : path ? open_output(path) : stdout;
  bool whole = nw_drawing_end(drawing, out);
  if (status != NW_CLI_OK || !out)
    return NW_CLI_FAILED;
  if (!whole)
    status = nw_cli_error(NW_CLI_FAILED, "the picture cannot be drawn: %s", strerror(errno));
  int closed = path ? close_output(out, path) : NW_CLI_OK;
  return status == NW_CLI_OK ? closed : status;
}

/* -- the two forms ----------------------------------------------------------------------------- */

static int explain_case(struct options *o) {
  char error[512];
  enum nw_case_status status = nw_case_explain(o->case_path, &o->explaining, error, sizeof(error));
  if (status == NW_CASE_ANSWERED)
    return NW_CLI_OK;
  return nw_cli_error(status == NW_CASE_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED, "%s", error);
}

static int explain_trace(struct options *o) {
  struct nw_cli_explained_record wanted = {
      .simulation = &o->simulation,
      .mode = o->modes[0],
      .stream = (uint32_t)o->stream,
      .word = o->at,
      .text = o->explaining.text,
      .drawing = o->explaining.drawing,
  };
  int status = nw_cli_simulation_open(&o->simulation);
  if (status == NW_CLI_OK)
    status = nw_cli_explain_record(&wanted);
  nw_cli_simulation_close(&o->simulation);
  return status;
}

static int explain(struct options *o) {
  struct nw_drawing drawing;
  bool svg = output_is_svg(o);
  bool draws = svg || o->svg;
  FILE *text = svg ? NULL : o->output ? open_output(o->output) : stdout;
  if (!svg && !text)
    return NW_CLI_FAILED;
  if (draws && !nw_drawing_begin(&drawing))
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  o->explaining.text = text;
  o->explaining.drawing = draws ? &drawing : NULL;
  int status = o->case_path ? explain_case(o) : explain_trace(o);
  int drawn = draws ? save_drawing(&drawing, svg ? o->output : o->svg, status) : NW_CLI_OK;
  int closed = text && o->output ? close_output(text, o->output) : NW_CLI_OK;
  return nw_cli_finish(status != NW_CLI_OK ? status : drawn != NW_CLI_OK ? drawn : closed);
}

int nw_cmd_explain(int argc, char **argv) {
  struct options o = {.simulation = {.command = "explain"},
                      .explaining = {.latency = LATENCY},
                      .modes = {NW_MODE_NESTED}};
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (!o.help)
    return explain(&o);
  help();
  return nw_cli_finish(NW_CLI_OK);
}
