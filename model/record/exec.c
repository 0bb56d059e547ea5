/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following execve. Run by the kernel, the new program would not be recorded, and an ARM program
 * could not run at all. So the plugin replaces the process with QEMU, running the new program with
 * the same options, in the same stream. Programs of other architectures are left to the kernel;
 * their stream ends there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/recorder.h"

/* QEMU and its options, which the recorder left in the spool: strings, ended by an empty one. */
#define OPTIONS_BYTES (64u * 1024)
#define OPTIONS_MAX 64u

struct qemu_command {
  char text[OPTIONS_BYTES + 2];
  const char *words[OPTIONS_MAX];
  size_t count;
  const char *root; /* what follows -L, or NULL */
};

static bool read_command(struct qemu_command *command) {
  int fd = openat(nw_process.spool.directory.fd, "qemu", O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? -1 : read(fd, command->text, OPTIONS_BYTES);
  if (fd >= 0)
    close(fd);
  if (bytes <= 0)
    return false;
  command->text[bytes] = command->text[bytes + 1] = '\0';
  command->count = 0;
  command->root = NULL;
  for (char *at = command->text; *at != '\0' && command->count < OPTIONS_MAX - 8;) {
    if (command->count > 0 && strcmp(command->words[command->count - 1], "-L") == 0)
      command->root = at;
    command->words[command->count++] = at;
    at += strlen(at) + 1;
  }
  return true;
}

/* A value in QEMU's option syntax, where a comma is written twice. */
static char *escape_commas(char *at, const char *value) {
  for (; *value != '\0'; value++) {
    if (*value == ',')
      *at++ = ',';
    *at++ = *value;
  }
  *at = '\0';
  return at;
}

/* The value of -plugin for the next program in the stream of this one. */
static char *plugin_option(uint32_t stream) {
  Dl_info self;
  if (dladdr((void *)(uintptr_t)nw_exec_enter, &self) == 0)
    return NULL;
  const char *folder = nw_process.spool.folder;
  char *option = malloc(2 * (strlen(self.dli_fname) + strlen(folder)) + 64);
  if (option == NULL)
    return NULL;
  char *at = stpcpy(escape_commas(option, self.dli_fname), ",dir=");
  sprintf(escape_commas(at, folder), ",stream=%u", stream);
  return option;
}

static bool is_self(const char *path) {
  char own[64];
  snprintf(own, sizeof own, "/proc/%d/exe", (int)getpid());
  return strcmp(path, "/proc/self/exe") == 0 || strcmp(path, "/proc/thread-self/exe") == 0 ||
         strcmp(path, own) == 0;
}

/* Runs QEMU on the program; returns only if that fails. */
static void run_qemu(const struct qemu_command *command, const struct nw_program *program,
                     char **envp, uint32_t stream) {
  size_t args = 0;
  while (program->argv[args] != NULL)
    args++;
  const char **argv = calloc(command->count + args + 8, sizeof *argv);
  char *option = plugin_option(stream);
  char relative[PATH_MAX + 2];
  snprintf(relative, sizeof relative, "%s%s", program->path[0] == '-' ? "./" : "", program->path);
  if (argv != NULL && option != NULL) {
    size_t n = 0;
    for (size_t i = 0; i < command->count; i++)
      argv[n++] = command->words[i];
    argv[n++] = "-plugin";
    argv[n++] = option;
    argv[n++] = "-0";
    argv[n++] = args > 0 ? program->argv[0] : program->path;
    argv[n++] = relative;
    for (size_t i = 1; i < args; i++)
      argv[n++] = program->argv[i];
    argv[n] = NULL;
    execve(command->words[0], (char *const *)(uintptr_t)argv, envp);
  }
  free(option);
  free(argv);
}

/* Emits EXEC so that it can be taken back: it and its operand stay in the shared memory. */
static void emit_exec(struct nw_vcpu *vcpu, uint64_t flags) {
  struct nw_spool_stream *shared = vcpu->writer->shared;
  if (shared->count + 8 > NW_TRACE_CHUNK_WORDS)
    nw_stop_on_failure(nw_spool_flush(vcpu->writer));
  nw_emit(vcpu, NW_EVENT_EXEC, &flags, 1);
  shared->ended = (flags & NW_EXEC_UNRECORDED) != 0;
  vcpu->exec_pending = true;
}

static void take_back(struct nw_vcpu *vcpu) {
  vcpu->writer->shared->count -= 2;
  vcpu->exec_pending = false;
}

static void exec_recorded(struct nw_vcpu *vcpu, const struct qemu_command *command,
                          const struct nw_program *program, uint64_t envp_address) {
  char **envp = nw_guest_strings(envp_address);
  if (envp == NULL)
    return;
  emit_exec(vcpu, 0);
  run_qemu(command, program, envp, vcpu->writer->shared->stream);
  take_back(vcpu);
  nw_guest_strings_free(envp);
}

void nw_exec_enter(struct nw_vcpu *vcpu, const char *path, uint64_t argv_address,
                   uint64_t envp_address) {
  struct nw_program program;
  struct qemu_command *command = malloc(sizeof *command);
  char **argv = nw_guest_strings(argv_address);
  if (is_self(path))
    path = nw_process.program;
  /* What cannot be resolved is left to QEMU's own execve, which gives the program its error. */
  if (command != NULL && argv != NULL && read_command(command) &&
      nw_program_resolve(path, argv, command->root, &program) == 0) {
    if (program.arch == nw_process.arch)
      exec_recorded(vcpu, command, &program, envp_address);
    emit_exec(vcpu, NW_EXEC_UNRECORDED);
    nw_program_free(&program);
  }
  nw_guest_strings_free(argv);
  free(command);
}
