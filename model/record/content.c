/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pages of private file mappings hold. The tag is a checksum of the whole file, so that it
 * is the same for every process, and for every recording of the same files wherever they lie.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/recorder.h"
#include "trace/format.h"

#define BLOCK_BYTES 16384u /* threads of QEMU have small stacks */

static bool is_same(const struct nw_file_content *file, const struct stat *status) {
  return file->tag != 0 && file->device == status->st_dev && file->inode == status->st_ino &&
         file->bytes == (uint64_t)status->st_size &&
         file->changed.tv_sec == status->st_ctim.tv_sec &&
         file->changed.tv_nsec == status->st_ctim.tv_nsec;
}

/* A checksum over the checksums of the file's blocks; 0 when it cannot be read. Nothing is mapped for
 * it: the program's addresses stay what they are without it. */
static uint64_t read_tag(int fd) {
  unsigned char block[BLOCK_BYTES];
  uint64_t tag = 0;
  ssize_t got;
  for (off_t at = 0; (got = pread(fd, block, sizeof block, at)) > 0; at += got)
    tag = nw_checksum((const struct nw_span[]){{&tag, sizeof tag}, {block, (size_t)got}}, 2);
  return got < 0 ? 0 : (tag & INT64_MAX) | 1; /* 0 is zeros, and all ones no tag */
}

/* A loader maps the parts of a file one after the other: the last file is remembered. */
static uint64_t tag_of(struct nw_vcpu *vcpu, int fd, const struct stat *status) {
  struct nw_file_content *file = &vcpu->file;
  if (!is_same(file, status))
    *file = (struct nw_file_content){.device = status->st_dev,
                                     .inode = status->st_ino,
                                     .bytes = (uint64_t)status->st_size,
                                     .changed = status->st_ctim,
                                     .tag = read_tag(fd)};
  return file->tag;
}

/* Whether the program's page at `va` holds what the file does; the end of its last page is 0. */
static bool holds(uint64_t va, int fd, uint64_t offset) {
  char page[NW_PAGE_SIZE], data[NW_PAGE_SIZE] = {0};
  return pread(fd, data, sizeof data, (off_t)offset) > 0 && nw_guest_read(va, page, sizeof page) &&
         memcmp(page, data, sizeof page) == 0;
}

static void emit(struct nw_vcpu *vcpu, uint64_t tag, const struct nw_file_mapping *mapping,
                 uint64_t start, uint64_t end) {
  uint64_t offset = mapping->offset + (start - mapping->start);
  if (start < end)
    nw_emit(vcpu, NW_EVENT_CONTENT, (uint64_t[]){start, end - start, tag, offset / NW_PAGE_SIZE},
            4);
}

void nw_emit_content(struct nw_vcpu *vcpu, int fd, const struct nw_file_mapping *mapping,
                     bool compare) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
      mapping->offset >= (uint64_t)status.st_size)
    return;
  uint64_t tag = tag_of(vcpu, fd, &status), start = mapping->start, end = mapping->end;
  uint64_t in_file = nw_page_up((uint64_t)status.st_size - mapping->offset);
  if (tag == 0)
    return;
  if (end - start > in_file)
    end = start + in_file;
  for (uint64_t va = start; compare && va < end; va += NW_PAGE_SIZE) {
    if (holds(va, fd, mapping->offset + (va - mapping->start)))
      continue;
    emit(vcpu, tag, mapping, start, va);
    start = va + NW_PAGE_SIZE;
  }
  emit(vcpu, tag, mapping, start, end);
}
