/* SPDX-License-Identifier: Apache-2.0 */
/* A chart is a gnuplot script with its data inside, written to a temporary file beside the chart. */
#define _GNU_SOURCE /* asprintf, environ */
#include "sim/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GNUPLOT "gnuplot"

void nw_gnuplot_string(FILE *out, const char *text) {
  putc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      putc('\\', out);
    putc(c < 0x20 || c == 0x7f ? '?' : c, out);
  }
  putc('"', out);
}

/* Runs gnuplot with one argument, its messages into the file `messages`. The exit status, -1 when
 * it could not be started. */
static int run_gnuplot(const char *argument, const char *messages) {
  char program[] = GNUPLOT, *copy = strdup(argument);
  char *arguments[] = {program, copy, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = -1;
  if (!copy || posix_spawn_file_actions_init(&actions) != 0) {
    free(copy);
    return -1;
  }
  int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, messages, flags, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  int failed = posix_spawnp(&child, GNUPLOT, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  free(copy);
  if (failed)
    return -1;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      return -1;
  }
  /* 127: the C library's child could not execute it */
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

static bool ends_in(const char *path, const char *suffix) {
  size_t length = strlen(path), wanted = strlen(suffix);
  return length > wanted && !strcmp(path + length - wanted, suffix);
}

enum nw_run_status nw_gnuplot_check(const char *path, char error[NW_RUN_ERROR]) {
  if (!ends_in(path, ".svg") && !ends_in(path, ".png")) {
    snprintf(error, NW_RUN_ERROR, "chart '%.400s': expected a name that ends in .svg or .png",
             path);
    return NW_RUN_BAD_INPUT;
  }
  if (run_gnuplot("--version", "/dev/null") == 0)
    return NW_RUN_OK;
  snprintf(error, NW_RUN_ERROR,
           "charts are drawn by gnuplot, which cannot be run: is it installed?");
  return NW_RUN_FAILED;
}

/* The first line that says something. */
static void first_message(const char *file, char *out, size_t size) {
  FILE *in = fopen(file, "re");
  snprintf(out, size, "it gives no reason");
  char line[300];
  while (in && fgets(line, sizeof line, in)) {
    line[strcspn(line, "\n")] = '\0';
    if (line[strspn(line, " \t^")]) {
      snprintf(out, size, "%s", line);
      break;
    }
  }
  if (in)
    fclose(in);
}

struct files {
  char *script, *messages, *output; /* temporary ones, beside the chart */
};

static bool name_files(struct files *files, const char *path) {
  const char *slash = strrchr(path, '/');
  int folder = slash ? (int)(slash - path + 1) : 0;
  const char *name = path + folder;
  long pid = (long)getpid();
  *files = (struct files){NULL, NULL, NULL};
  if (asprintf(&files->script, "%.*s.%s.%ld.gnuplot", folder, path, name, pid) < 0)
    files->script = NULL;
  if (asprintf(&files->messages, "%.*s.%s.%ld.log", folder, path, name, pid) < 0)
    files->messages = NULL;
  if (asprintf(&files->output, "%.*s.%s.%ld.out", folder, path, name, pid) < 0)
    files->output = NULL;
  return files->script && files->messages && files->output;
}

static void remove_files(struct files *files) {
  char *const names[] = {files->script, files->messages, files->output};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i])
      unlink(names[i]);
    free(names[i]);
  }
}

static bool write_script(const char *script, const char *output, bool svg, nw_gnuplot_script *write,
                         void *context) {
  FILE *out = fopen(script, "we");
  if (!out)
    return false;
  write(out, output, svg, context);
  bool good = !ferror(out);
  return fclose(out) == 0 && good;
}

static bool draw(const struct files *files, const char *path, nw_gnuplot_script *write,
                 void *context, char error[NW_RUN_ERROR]) {
  if (!write_script(files->script, files->output, ends_in(path, ".svg"), write, context)) {
    snprintf(error, NW_RUN_ERROR, "%.300s: %s", path, strerror(errno));
    return false;
  }
  int status = run_gnuplot(files->script, files->messages);
  if (status != 0) {
    char message[300];
    first_message(files->messages, message, sizeof message);
    snprintf(error, NW_RUN_ERROR, "%.300s: gnuplot failed: %s", path, message);
    return false;
  }
  if (rename(files->output, path) == 0)
    return true;
  snprintf(error, NW_RUN_ERROR, "%.300s: %s", path, strerror(errno));
  return false;
}

bool nw_gnuplot_draw(const char *path, nw_gnuplot_script *write, void *context,
                     char error[NW_RUN_ERROR]) {
  struct files files;
  bool good = name_files(&files, path) && draw(&files, path, write, context, error);
  if (!files.output)
    snprintf(error, NW_RUN_ERROR, "out of memory");
  remove_files(&files);
  return good;
}
