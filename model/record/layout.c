/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout that a program starts with: image, stack, and what QEMU adds. QEMU's page_dump lists
 * the guest's regions with the protections that the guest sees; the host's /proc/self/maps adds
 * which of them are files, and which.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/recorder.h"

/* One line of /proc/self/maps. */
struct host_map {
  uint64_t start, end;
  uint64_t offset; /* in the file */
  bool file, shared;
  char *path; /* of the file */
};

static struct host_map *read_host_maps(size_t *count) {
  struct host_map *maps = NULL;
  char *line = NULL;
  size_t size = 0;
  FILE *file = fopen("/proc/self/maps", "re");
  *count = 0;
  while (file != NULL && getline(&line, &size, file) > 0) {
    unsigned long long start, end, offset, inode;
    char mode[5];
    int path = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %*s %llu %n", &start, &end, mode, &offset, &inode, &path) <
        5)
      continue;
    line[strcspn(line, "\n")] = '\0';
    struct host_map *more = realloc(maps, (*count + 1) * sizeof *maps);
    if (more == NULL)
      break;
    maps = more;
    maps[(*count)++] =
        (struct host_map){start, end, offset, inode != 0, mode[3] == 's', strdup(line + path)};
  }
  free(line);
  if (file != NULL)
    fclose(file);
  return maps;
}

static void free_host_maps(struct host_map *maps, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(maps[i].path);
  free(maps);
}

/* Linux puts the program's name at the very top of the stack, and so does QEMU. */
static bool is_stack(uint64_t end) {
  char top[NW_PAGE_SIZE];
  size_t length = strlen(nw_process.program);
  /* The name as it was given may be shorter than the absolute one: compare the last component. */
  const char *slash = strrchr(nw_process.program, '/');
  const char *name = slash == NULL ? nw_process.program : slash + 1;
  length = strlen(name) + 1;
  return length < sizeof top && nw_guest_read(end - sizeof top, top, sizeof top) &&
         memmem(top, sizeof top, name, length) != NULL;
}

static void emit_map(struct nw_vcpu *vcpu, uint64_t start, uint64_t end, const char *mode,
                     const struct host_map *host) {
  uint64_t prot = (mode[0] == 'r' ? NW_PROT_READ : 0) | (mode[1] == 'w' ? NW_PROT_WRITE : 0) |
                  (mode[2] == 'x' ? NW_PROT_EXEC : 0);
  uint64_t flags = NW_MAP_INITIAL;
  if (host != NULL && host->file)
    flags |= NW_MAP_FILE;
  if (host != NULL && host->shared)
    flags |= NW_MAP_SHARED;
  if (!(flags & NW_MAP_FILE) && (prot & NW_PROT_WRITE) && is_stack(end))
    flags |= NW_MAP_STACK;
  uint64_t operands[] = {start, end - start, prot, flags};
  nw_emit(vcpu, NW_EVENT_MAP, operands, 4);
}

/* Emits one region of the guest, piece by piece as the host has it. */
static void emit_region(struct nw_vcpu *vcpu, uint64_t start, uint64_t end, const char *mode,
                        const struct host_map *maps, size_t count) {
  uint64_t base = nw_process.guest_base;
  for (size_t i = 0; i < count && start < end; i++) {
    uint64_t host_start = start + base;
    if (maps[i].end <= host_start || maps[i].start > host_start)
      continue;
    uint64_t stop = maps[i].end - base < end ? maps[i].end - base : end;
    for (size_t j = i + 1; j < count && stop < end && maps[j].start == stop + base &&
                           maps[j].file == maps[i].file && maps[j].shared == maps[i].shared;
         j++)
      stop = maps[j].end - base < end ? maps[j].end - base : end;
    emit_map(vcpu, start, stop, mode, &maps[i]);
    start = stop;
  }
  if (start < end)
    emit_map(vcpu, start, end, mode, NULL);
}

/* What the files in a region of the guest hold. A loader has been there: it clears what follows the
 * initialised data. */
static void emit_content(struct nw_vcpu *vcpu, uint64_t start, uint64_t end,
                         const struct host_map *maps, size_t count) {
  uint64_t base = nw_process.guest_base;
  for (size_t i = 0; i < count; i++) {
    const struct host_map *map = &maps[i];
    uint64_t from = map->start > start + base ? map->start : start + base;
    uint64_t to = map->end < end + base ? map->end : end + base;
    if (from >= to || !map->file || map->shared)
      continue;
    struct nw_file_mapping mapping = {from - base, to - base, map->offset + (from - map->start)};
    int fd = map->path == NULL ? -1 : open(map->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      continue;
    nw_emit_content(vcpu, fd, &mapping, true);
    close(fd);
  }
}

void nw_emit_layout(struct nw_vcpu *vcpu) {
  void (*page_dump)(FILE *) = (void (*)(FILE *))(uintptr_t)dlsym(RTLD_DEFAULT, "page_dump");
  char *text = NULL;
  size_t size = 0;
  FILE *stream = page_dump == NULL ? NULL : open_memstream(&text, &size);
  if (stream == NULL) {
    nw_spool_fail(&nw_process.spool, "this QEMU does not tell the memory layout (page_dump)");
    nw_stop_on_failure(false);
  }
  page_dump(stream);
  fclose(stream);
  size_t count;
  struct host_map *maps = read_host_maps(&count);
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    unsigned long long start, end;
    char mode[4];
    if (sscanf(line, "%llx-%llx %*x %3s", &start, &end, mode) != 3)
      continue;
    emit_region(vcpu, start, end, mode, maps, count);
    emit_content(vcpu, start, end, maps, count);
  }
  free_host_maps(maps, count);
  free(text);
}
