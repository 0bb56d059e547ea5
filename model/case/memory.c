/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges are kept as one sorted array; a range of RAM has no bytes of its own, a range of a file
 * points into the mapped file. Updates are a second, small sorted array that reads look at first.
 */
#include "case/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct range {
  uint64_t first, last;      /* both included */
  const unsigned char *data; /* the byte at `first`; NULL: reads as 0 */
};

struct file {
  struct file *next;
  char *path;
  unsigned char *data; /* mapped, unless size is 0 */
  size_t size;
};

struct nw_case_memory {
  struct range *range;
  size_t ranges, range_room;
  struct file *files;
  struct nw_case_update *update;
  size_t updates, update_room;
};

struct nw_case_memory *nw_case_memory_create(void) {
  return calloc(1, sizeof(struct nw_case_memory));
}

static void file_free(struct file *file) {
  if (file->size)
    munmap(file->data, file->size);
  free(file->path);
  free(file);
}

void nw_case_memory_destroy(struct nw_case_memory *memory) {
  if (!memory)
    return;
  while (memory->files) {
    struct file *file = memory->files;
    memory->files = file->next;
    file_free(file);
  }
  free(memory->range);
  free(memory->update);
  free(memory);
}

/* -- ranges ------------------------------------------------------------------------------------ */

/* Index of the first range that ends at or after `address`; the number of ranges if none does. */
static size_t find(const struct nw_case_memory *memory, uint64_t address) {
  size_t low = 0, high = memory->ranges;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (memory->range[middle].last < address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Replaces `gone` ranges from index `at` on by the `count` given ones. */
static bool splice(struct nw_case_memory *memory, size_t at, size_t gone, const struct range *given,
                   size_t count) {
  size_t ranges = memory->ranges - gone + count;
  if (ranges > memory->range_room) {
    size_t room = ranges * 2 + 16;
    struct range *bigger = realloc(memory->range, room * sizeof(*bigger));
    if (!bigger)
      return false;
    memory->range = bigger;
    memory->range_room = room;
  }
  if (memory->ranges > at + gone)
    memmove(memory->range + at + count, memory->range + at + gone,
            (memory->ranges - at - gone) * sizeof(*given));
  if (count)
    memcpy(memory->range + at, given, count * sizeof(*given));
  memory->ranges = ranges;
  return true;
}

/* Cuts first..last out of the ranges there are and, unless `hole`, puts one of `data` in. */
static bool cover(struct nw_case_memory *memory, uint64_t first, uint64_t last,
                  const unsigned char *data, bool hole) {
  struct range given[3];
  size_t count = 0;
  size_t begin = find(memory, first), end = begin;
  while (end < memory->ranges && memory->range[end].first <= last)
    end++;
  if (begin < end && memory->range[begin].first < first) {
    given[count] = memory->range[begin];
    given[count++].last = first - 1;
  }
  if (!hole)
    given[count++] = (struct range){first, last, data};
  if (begin < end && memory->range[end - 1].last > last) {
    given[count] = memory->range[end - 1];
    if (given[count].data)
      given[count].data += last + 1 - given[count].first;
    given[count++].first = last + 1;
  }
  return splice(memory, begin, end - begin, given, count);
}

bool nw_case_memory_add_ram(struct nw_case_memory *memory, uint64_t first, uint64_t last) {
  return cover(memory, first, last, NULL, false);
}

bool nw_case_memory_add_hole(struct nw_case_memory *memory, uint64_t first, uint64_t last) {
  return cover(memory, first, last, NULL, true);
}

/* -- files ------------------------------------------------------------------------------------- */

/* Maps a file; only a regular one, which has an end. */
static bool file_load(int fd, struct file *file) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    return false;
  if (!S_ISREG(status.st_mode)) {
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    return false;
  }
  if (status.st_size == 0)
    return true;
  void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    return false;
  file->data = data;
  file->size = (size_t)status.st_size;
  return true;
}

static struct file *file_open(struct nw_case_memory *memory, const char *path) {
  for (struct file *file = memory->files; file; file = file->next)
    if (strcmp(file->path, path) == 0)
      return file;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not wait for a pipe's writer */
  if (fd < 0)
    return NULL;
  struct file *file = calloc(1, sizeof(*file));
  bool good = file && (file->path = strdup(path)) != NULL && file_load(fd, file);
  int saved = errno;
  close(fd);
  if (!good) {
    if (file)
      file_free(file);
    errno = saved;
    return NULL;
  }
  file->next = memory->files;
  memory->files = file;
  return file;
}

bool nw_case_memory_add_file(struct nw_case_memory *memory, const char *path, uint64_t address,
                             char *error, size_t error_size) {
  const struct file *file = file_open(memory, path);
  if (!file) {
    snprintf(error, error_size, "cannot read '%s': %s", path, strerror(errno));
    return false;
  }
  if (file->size == 0)
    return true;
  if (file->size - 1 > UINT64_MAX - address) {
    snprintf(error, error_size, "'%s' has %zu bytes, too many to fit at 0x%" PRIx64, path,
             file->size, address);
    return false;
  }
  if (!cover(memory, address, address + (file->size - 1), file->data, false)) {
    snprintf(error, error_size, "out of memory");
    return false;
  }
  return true;
}

/* -- reading and updating ---------------------------------------------------------------------- */

static bool read_byte(const struct nw_case_memory *memory, uint64_t address, uint64_t *byte) {
  size_t at = find(memory, address);
  if (at == memory->ranges || memory->range[at].first > address)
    return false;
  const struct range *range = &memory->range[at];
  *byte = range->data ? range->data[address - range->first] : 0;
  return true;
}

/* Lays the updates over `size` bytes of `data` at `address`. */
static void overlay(const struct nw_case_memory *memory, uint64_t address, unsigned size,
                    uint64_t *data) {
  for (size_t i = 0; i < memory->updates; i++) {
    const struct nw_case_update *update = &memory->update[i];
    for (unsigned byte = 0; byte < size; byte++) {
      uint64_t distance = address + byte - update->address;
      if (distance >= update->size)
        continue;
      *data &= ~((uint64_t)0xff << 8 * byte);
      *data |= (update->value >> 8 * distance & 0xff) << 8 * byte;
    }
  }
}

bool nw_case_memory_read(const struct nw_case_memory *memory, uint64_t address, unsigned size,
                         uint64_t *data) {
  size_t at = find(memory, address);
  if (at == memory->ranges || memory->range[at].first > address || size - 1 > UINT64_MAX - address)
    return false;
  const struct range *range = &memory->range[at];
  uint64_t value = 0;
  if (range->last - address >= size - 1) {
    for (unsigned byte = 0; range->data && byte < size; byte++)
      value |= (uint64_t)range->data[address - range->first + byte] << 8 * byte;
  } else {
    for (unsigned byte = 0; byte < size; byte++) {
      uint64_t one;
      if (!read_byte(memory, address + byte, &one))
        return false;
      value |= one << 8 * byte;
    }
  }
  if (memory->updates)
    overlay(memory, address, size, &value);
  *data = value;
  return true;
}

bool nw_case_memory_update(struct nw_case_memory *memory, uint64_t address, unsigned size,
                           uint64_t old_value, uint64_t new_value, uint64_t *found) {
  if (!nw_case_memory_read(memory, address, size, found))
    return false;
  if (*found != old_value)
    return true;
  size_t at = 0;
  while (at < memory->updates && memory->update[at].address < address)
    at++;
  if (at < memory->updates && memory->update[at].address == address) {
    memory->update[at].value = new_value;
    return true;
  }
  if (memory->updates == memory->update_room) {
    size_t room = memory->update_room * 2 + 8;
    struct nw_case_update *bigger = realloc(memory->update, room * sizeof(*bigger));
    if (!bigger)
      return false;
    memory->update = bigger;
    memory->update_room = room;
  }
  memmove(memory->update + at + 1, memory->update + at,
          (memory->updates - at) * sizeof(*memory->update));
  memory->update[at] = (struct nw_case_update){address, new_value, size};
  memory->updates++;
  return true;
}

const struct nw_case_update *nw_case_memory_updates(const struct nw_case_memory *memory,
                                                    size_t *count) {
  *count = memory->updates;
  return memory->update;
}

void nw_case_memory_undo(struct nw_case_memory *memory) {
  memory->updates = 0;
}
