/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that change address spaces and processes. Numbers are Linux's: arch/arm/tools/
 * syscall.tbl (EABI) and arch/x86/entry/syscalls/syscall_64.tbl. QEMU's user mode runs vfork, and
 * clone with CLONE_VFORK, as fork.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "record/recorder.h"

enum action {
  ACT_NONE,
  ACT_BRK,
  ACT_MMAP,
  ACT_MUNMAP,
  ACT_MPROTECT,
  ACT_MREMAP,
  ACT_SHMAT,
  ACT_SHMDT,
  ACT_FORK,
  ACT_VFORK,
  ACT_CLONE,
  ACT_EXECVE,
  ACT_EXECVEAT,
  ACT_EXIT,
  ACT_EXIT_GROUP,
};

struct call {
  uint16_t arm, x86_64;
  enum action action;
};

static const struct call calls[] = {
    {45, 12, ACT_BRK},       {192, 9, ACT_MMAP},         {91, 11, ACT_MUNMAP},
    {125, 10, ACT_MPROTECT}, {163, 25, ACT_MREMAP},      {305, 30, ACT_SHMAT},
    {306, 67, ACT_SHMDT},    {2, 57, ACT_FORK},          {190, 58, ACT_VFORK},
    {120, 56, ACT_CLONE},    {11, 59, ACT_EXECVE},       {387, 322, ACT_EXECVEAT},
    {1, 60, ACT_EXIT},       {248, 231, ACT_EXIT_GROUP},
};

static bool is_arm(void) {
  return nw_process.arch->elf_class == 1;
}

static enum action find_action(int64_t number) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (number == (is_arm() ? calls[i].arm : calls[i].x86_64))
      return calls[i].action;
  return ACT_NONE;
}

/* Shared memory segments of System V that are attached: shmdt does not say how long they are. */
static struct { uint64_t address, bytes; } attached[256];

static void attach_segment(struct nw_vcpu *vcpu, uint64_t address) {
  struct shmid_ds status;
  if (shmctl((int)vcpu->args[0], IPC_STAT, &status) != 0)
    return;
  uint64_t bytes = nw_page_up(status.shm_segsz);
  uint64_t prot = NW_PROT_READ | (vcpu->args[2] & SHM_RDONLY ? 0 : NW_PROT_WRITE);
  uint64_t operands[] = {address, bytes, prot, NW_MAP_SHARED};
  nw_emit(vcpu, NW_EVENT_MAP, operands, 4);
  for (size_t i = 0; i < sizeof attached / sizeof *attached; i++)
    if (attached[i].bytes == 0) {
      attached[i].address = address;
      attached[i].bytes = bytes;
      return;
    }
}

static void detach_segment(struct nw_vcpu *vcpu) {
  for (size_t i = 0; i < sizeof attached / sizeof *attached; i++)
    if (attached[i].bytes != 0 && attached[i].address == vcpu->args[0]) {
      uint64_t operands[] = {attached[i].address, attached[i].bytes};
      nw_emit(vcpu, NW_EVENT_UNMAP, operands, 2);
      attached[i].bytes = 0;
      return;
    }
}

static void brk_returned(struct nw_vcpu *vcpu, uint64_t end) {
  if (nw_process.heap_end == end)
    return;
  uint64_t old = nw_process.heap_end == 0 ? end : nw_process.heap_end;
  uint64_t operands[] = {old, end};
  nw_emit(vcpu, NW_EVENT_BRK, operands, 2);
  nw_process.heap_end = end;
}

static void mmap_returned(struct nw_vcpu *vcpu, uint64_t address) {
  uint64_t wanted = vcpu->args[3];
  uint64_t flags = (wanted & MAP_ANONYMOUS ? 0 : NW_MAP_FILE) |
                   ((wanted & MAP_TYPE) != MAP_PRIVATE ? NW_MAP_SHARED : 0) |
                   (wanted & (MAP_GROWSDOWN | MAP_STACK) ? NW_MAP_STACK : 0);
  uint64_t prot = vcpu->args[2] & (NW_PROT_READ | NW_PROT_WRITE | NW_PROT_EXEC);
  uint64_t bytes = nw_page_up(vcpu->args[1]);
  uint64_t operands[] = {address, bytes, prot, flags};
  nw_emit(vcpu, NW_EVENT_MAP, operands, 4);
  /* ARM's mmap2 counts its offset in units of 4096 bytes. */
  struct nw_file_mapping mapping = {address, address + bytes,
                                    is_arm() ? vcpu->args[5] * 4096 : vcpu->args[5]};
  if (flags == NW_MAP_FILE)
    nw_emit_content(vcpu, (int)vcpu->args[4], &mapping, false);
}

static void mremap_returned(struct nw_vcpu *vcpu, uint64_t address) {
  uint64_t operands[] = {vcpu->args[0], nw_page_up(vcpu->args[1]), address,
                         nw_page_up(vcpu->args[2])};
  nw_emit(vcpu, NW_EVENT_REMAP, operands, 4);
}

/* Linux's rules of which clones share memory, and which QEMU makes forks of. */
static bool asks_for_vfork(enum action action, const uint64_t args[6]) {
  return action == ACT_VFORK || (action == ACT_CLONE && (args[0] & CLONE_VFORK) != 0);
}

static void fork_enter(struct nw_vcpu *vcpu) {
  vcpu->thread = NW_NO_RESERVATION;
  /* The child shares the parent's buffer for a moment and must not look where it is then. */
  vcpu->fork_word = nw_spool_position(vcpu->writer);
  if (vcpu->reserved == NW_NO_RESERVATION)
    vcpu->reserved = nw_spool_reserve(&nw_process.spool);
}

static void fork_returned(struct nw_vcpu *vcpu, enum action action, uint64_t child) {
  if (child == 0) {
    nw_become_child(vcpu);
    return;
  }
  bool thread = vcpu->thread != NW_NO_RESERVATION;
  uint64_t stream = thread ? vcpu->thread : vcpu->reserved;
  uint64_t flags = thread ? NW_FORK_SHARES_MEMORY : 0;
  if (!thread) {
    vcpu->reserved = NW_NO_RESERVATION;
    flags |= asks_for_vfork(action, vcpu->args) ? NW_FORK_VFORK : 0;
  }
  uint64_t operands[] = {stream, flags, child};
  nw_emit(vcpu, NW_EVENT_FORK, operands, 3);
}

/* The thread ends: nothing of it runs after this. */
static void end_stream(struct nw_vcpu *vcpu, uint64_t status, uint64_t flags) {
  uint64_t operands[] = {status & 0xff, flags};
  nw_emit(vcpu, NW_EVENT_EXIT, operands, 2);
  vcpu->writer->shared->ended = 1;
  nw_stop_on_failure(nw_spool_flush(vcpu->writer));
  nw_spool_stop(vcpu->writer, true);
  vcpu->writer = NULL;
}

/* The path of an execveat that names its file by a descriptor. */
static bool path_at(uint64_t directory, const char *path, char whole[PATH_MAX]) {
  char link[64];
  char folder[PATH_MAX];
  if (path[0] == '/' || (int)directory == AT_FDCWD)
    return snprintf(whole, PATH_MAX, "%s", path) < PATH_MAX;
  snprintf(link, sizeof link, "/proc/self/fd/%d", (int)directory);
  ssize_t length = readlink(link, folder, sizeof folder - 1);
  if (length <= 0)
    return false;
  folder[length] = '\0';
  if (path[0] == '\0')
    return snprintf(whole, PATH_MAX, "%s", folder) < PATH_MAX;
  return snprintf(whole, PATH_MAX, "%s/%s", folder, path) < PATH_MAX;
}

static void exec_enter(struct nw_vcpu *vcpu, bool at) {
  const uint64_t *args = vcpu->args + (at ? 1 : 0);
  char whole[PATH_MAX];
  char *path = nw_guest_string(args[0], PATH_MAX);
  if (path != NULL && path_at(at ? vcpu->args[0] : (uint64_t)AT_FDCWD, path, whole))
    nw_exec_enter(vcpu, whole, args[1], args[2]);
  free(path);
}

void nw_syscall_enter(struct nw_vcpu *vcpu, int64_t number, const uint64_t args[6]) {
  for (int i = 0; i < 6; i++)
    vcpu->args[i] = args[i] & nw_process.address_mask;
  switch (find_action(number)) {
  case ACT_FORK:
  case ACT_VFORK:
  case ACT_CLONE:
    fork_enter(vcpu);
    break;
  case ACT_EXECVE:
    exec_enter(vcpu, false);
    break;
  case ACT_EXECVEAT:
    exec_enter(vcpu, true);
    break;
  case ACT_EXIT:
    end_stream(vcpu, args[0], 0);
    break;
  case ACT_EXIT_GROUP:
    end_stream(vcpu, args[0], NW_EXIT_PROCESS);
    break;
  default:
    break;
  }
}

/* Takes back the EXEC event of an execve that returned. */
static void exec_returned(struct nw_vcpu *vcpu) {
  struct nw_spool_stream *shared = vcpu->writer->shared;
  if (!vcpu->exec_pending)
    return;
  vcpu->exec_pending = false;
  shared->ended = 0;
  shared->count -= 2;
}

void nw_syscall_return(struct nw_vcpu *vcpu, int64_t number, int64_t result) {
  enum action action = find_action(number);
  if (action == ACT_EXECVE || action == ACT_EXECVEAT) {
    exec_returned(vcpu);
    return;
  }
  if (result < 0 && result > -4096) /* Linux: MAX_ERRNO */
    return;
  uint64_t value = (uint64_t)result & nw_process.address_mask;
  switch (action) {
  case ACT_BRK:
    brk_returned(vcpu, value);
    break;
  case ACT_MMAP:
    mmap_returned(vcpu, value);
    break;
  case ACT_MUNMAP:
    nw_emit(vcpu, NW_EVENT_UNMAP, (uint64_t[]){vcpu->args[0], nw_page_up(vcpu->args[1])}, 2);
    break;
  case ACT_MPROTECT:
    nw_emit(vcpu, NW_EVENT_PROTECT,
            (uint64_t[]){vcpu->args[0], nw_page_up(vcpu->args[1]), vcpu->args[2] & 7}, 3);
    break;
  case ACT_MREMAP:
    mremap_returned(vcpu, value);
    break;
  case ACT_SHMAT:
    attach_segment(vcpu, value);
    break;
  case ACT_SHMDT:
    detach_segment(vcpu);
    break;
  case ACT_FORK:
  case ACT_VFORK:
  case ACT_CLONE:
    fork_returned(vcpu, action, value);
    break;
  default:
    break;
  }
}
