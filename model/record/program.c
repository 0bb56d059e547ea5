/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "record/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct nw_guest_arch nw_guest_archs[] = {
    {"armv7", "qemu-arm", "arm", EM_ARM, ELFCLASS32},
    {"x86-64", "qemu-x86_64", "x86_64", EM_X86_64, ELFCLASS64},
    {NULL, NULL, NULL, 0, 0},
};

/* What Linux looks at (BINPRM_BUF_SIZE), and how deep it follows `#!` (fs/exec.c). */
enum { HEAD_BYTES = 256, DEPTH_MAX = 5 };

static const struct nw_guest_arch *find_arch(const uint8_t head[HEAD_BYTES]) {
  uint16_t machine = (uint16_t)(head[18] | head[19] << 8);
  for (const struct nw_guest_arch *arch = nw_guest_archs; arch->name != NULL; arch++)
    if (head[EI_CLASS] == arch->elf_class && head[EI_DATA] == ELFDATA2LSB &&
        machine == arch->elf_machine)
      return arch;
  return NULL;
}

/* Reads the first bytes of an executable file. Returns 0 or errno. */
static int read_head(const char *path, uint8_t head[HEAD_BYTES]) {
  struct stat status;
  memset(head, 0, HEAD_BYTES);
  if (stat(path, &status) != 0)
    return errno;
  if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0)
    return EACCES;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno;
  ssize_t bytes = read(fd, head, HEAD_BYTES - 1);
  int error = bytes < 0 ? errno : 0;
  close(fd);
  return error;
}

/* Copies `count` strings before the strings of `rest` into a new array of one block. */
static char **join(const char *const first[], size_t count, char *const rest[]) {
  size_t total = count;
  size_t bytes = 0;
  while (rest[total - count] != NULL)
    total++;
  for (size_t i = 0; i < total; i++)
    bytes += strlen(i < count ? first[i] : rest[i - count]) + 1;
  char **argv = malloc((total + 1) * sizeof *argv + bytes);
  if (argv == NULL)
    return NULL;
  char *at = (char *)(argv + total + 1);
  for (size_t i = 0; i < total; i++) {
    argv[i] = at;
    at = stpcpy(at, i < count ? first[i] : rest[i - count]) + 1;
  }
  argv[total] = NULL;
  return argv;
}

/* Makes the interpreter the program: NAME [ARGUMENT] SCRIPT ARGS... Returns 0 or errno. */
static int follow_script(const char *script, uint8_t head[HEAD_BYTES], char interpreter[PATH_MAX],
                         char ***argv) {
  char *line = (char *)head + 2;
  line[strcspn(line, "\n")] = '\0';
  line += strspn(line, " \t");
  size_t name = strcspn(line, " \t");
  char *argument = line + name + strspn(line + name, " \t");
  line[name] = '\0';
  for (size_t end = strlen(argument); end > 0 && strchr(" \t", argument[end - 1]) != NULL;)
    argument[--end] = '\0';
  if (name == 0 || name >= PATH_MAX)
    return ENOEXEC;
  const char *first[] = {line, argument[0] != '\0' ? argument : script, script};
  char **old = *argv;
  char **joined = join(first, argument[0] != '\0' ? 3 : 2, old[0] == NULL ? old : old + 1);
  if (joined == NULL)
    return ENOMEM;
  snprintf(interpreter, PATH_MAX, "%s", line);
  free(old);
  *argv = joined;
  return 0;
}

/* Puts the file that `path` stands for into `found`. */
static int locate(const char *path, const char *root, char found[PATH_MAX]) {
  if (root != NULL && path[0] == '/') {
    int length = snprintf(found, PATH_MAX, "%s%s", root, path);
    if (length > 0 && length < PATH_MAX && access(found, X_OK) == 0)
      return 0;
  }
  if (strlen(path) >= PATH_MAX)
    return ENAMETOOLONG;
  strcpy(found, path);
  return 0;
}

int nw_program_resolve(const char *path, char *const argv[], const char *root,
                       struct nw_program *program) {
  uint8_t head[HEAD_BYTES];
  char name[PATH_MAX];
  memset(program, 0, sizeof *program);
  if (strlen(path) >= PATH_MAX)
    return ENAMETOOLONG;
  strcpy(name, path);
  program->argv = join(NULL, 0, argv);
  int error = program->argv == NULL ? ENOMEM : 0;
  for (int depth = 0; error == 0; depth++) {
    error = locate(name, root, program->path);
    if (error == 0)
      error = read_head(program->path, head);
    if (error != 0)
      break;
    if (memcmp(head, ELFMAG, SELFMAG) == 0) {
      program->arch = find_arch(head);
      return 0;
    }
    if (head[0] != '#' || head[1] != '!')
      error = ENOEXEC;
    else if (depth == DEPTH_MAX)
      error = ELOOP;
    else {
      char script[PATH_MAX];
      strcpy(script, name);
      error = follow_script(script, head, name, &program->argv);
    }
  }
  nw_program_free(program);
  return error;
}

void nw_program_free(struct nw_program *program) {
  free(program->argv);
  program->argv = NULL;
}
