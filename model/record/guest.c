/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record/recorder.h"

/* Linux: MAX_ARG_STRLEN; and as many strings as fit its largest argument space (6 MiB). */
#define STRING_MAX (128u * 1024)
#define STRINGS_MAX (1024u * 1024)

/* The kernel copies, so that a bad address is an error and no signal. */
bool nw_guest_read(uint64_t address, void *data, size_t bytes) {
  uintptr_t host = nw_process.guest_base + (uintptr_t)(address & nw_process.address_mask);
  struct iovec local = {data, bytes};
  struct iovec remote = {(void *)host, bytes};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}

char *nw_guest_string(uint64_t address, size_t most) {
  char *string = malloc(most + NW_PAGE_SIZE);
  for (size_t length = 0; string != NULL && length < most;) {
    size_t part = NW_PAGE_SIZE - (size_t)((address + length) % NW_PAGE_SIZE);
    if (!nw_guest_read(address + length, string + length, part))
      break;
    if (memchr(string + length, '\0', part) != NULL)
      return string;
    length += part;
  }
  free(string);
  return NULL;
}

void nw_guest_strings_free(char **strings) {
  for (char **string = strings; string != NULL && *string != NULL; string++)
    free(*string);
  free(strings);
}

/* Reads the pointer at `index` of an array in the program's memory. */
static bool read_pointer(uint64_t array, size_t index, uint64_t *pointer) {
  size_t size = nw_process.address_mask == UINT32_MAX ? 4 : 8;
  *pointer = 0;
  return nw_guest_read(array + index * size, pointer, size);
}

char **nw_guest_strings(uint64_t address) {
  size_t count = 0;
  uint64_t pointer = 0;
  bool readable = true;
  /* Linux takes a null array as an empty one. */
  while (address != 0 && (readable = read_pointer(address, count, &pointer)) && pointer != 0 &&
         count < STRINGS_MAX)
    count++;
  if (!readable || pointer != 0)
    return NULL;
  char **strings = calloc(count + 1, sizeof *strings);
  for (size_t i = 0; strings != NULL && i < count; i++) {
    char *string = read_pointer(address, i, &pointer) ? nw_guest_string(pointer, STRING_MAX) : NULL;
    char *exact = string == NULL ? NULL : strdup(string);
    free(string);
    if (exact == NULL) {
      nw_guest_strings_free(strings);
      return NULL;
    }
    strings[i] = exact;
  }
  return strings;
}
