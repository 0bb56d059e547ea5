/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the plugin share: the recorded process, and its virtual CPUs, one for each
 * thread. */
#ifndef NW_RECORD_RECORDER_H
#define NW_RECORD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "record/program.h"
#include "trace/spool.h"

#define NW_PAGE_SIZE 4096u

static inline uint64_t nw_page_up(uint64_t bytes) {
  return (bytes + NW_PAGE_SIZE - 1) & ~(uint64_t)(NW_PAGE_SIZE - 1);
}

/* The recorded process. */
struct nw_process {
  struct nw_spool spool;
  const struct nw_guest_arch *arch;
  uint64_t address_mask; /* of guest addresses */
  uintptr_t guest_base;  /* host address of guest address 0 */
  char *program;         /* absolute path of what runs, for /proc/self/exe */
  uint64_t heap_end;     /* 0: not known yet */
};

#define NW_NO_RESERVATION UINT32_MAX

/* The contents of a file. */
struct nw_file_content {
  dev_t device;
  ino_t inode;
  uint64_t bytes;
  struct timespec changed;
  uint64_t tag; /* 0: nothing is known */
};

/* One virtual CPU. Only its own thread uses it, but for the moment when its parent makes it. */
struct nw_vcpu {
  struct nw_spool_writer *writer; /* NULL: nothing is recorded (any more) */
  uint32_t reserved;              /* number for the stream of the next process it forks */
  uint32_t thread;                /* stream of the thread that is being made in a clone */
  uint64_t fork_word;             /* where in its stream the FORK event will be */
  uint64_t args[6];               /* of the system call it is in */
  bool exec_pending;              /* an EXEC event is to be taken back if execve returns */
  struct nw_file_content file;    /* that it mapped last */
};

extern struct nw_process nw_process;

/* Ends the process when recording cannot go on: a hole in a trace would not be seen. */
void nw_stop_on_failure(bool written);

/* Appends an event; does not return if that fails. */
void nw_emit(struct nw_vcpu *vcpu, enum nw_event event, const uint64_t *operands, size_t count);

/* Starts the stream `id` as a child of the stream of `parent`. */
struct nw_spool_writer *nw_start_child(const struct nw_vcpu *parent, uint32_t id, uint32_t flags);

/* In a child after fork: leaves the parent's streams alone and begins its own. */
void nw_become_child(struct nw_vcpu *vcpu);

/* layout.c: emits MAP for everything that is mapped before the program's first instruction. */
void nw_emit_layout(struct nw_vcpu *vcpu);

/* content.c: emits CONTENT for a private mapping of the file `fd`; with `compare`, for those of its
 * pages that still hold what the file does. */
struct nw_file_mapping {
  uint64_t start, end; /* of the program's addresses */
  uint64_t offset;     /* of `start`, in the file */
};
void nw_emit_content(struct nw_vcpu *vcpu, int fd, const struct nw_file_mapping *mapping,
                     bool compare);

/* syscalls.c: before and after a system call. */
void nw_syscall_enter(struct nw_vcpu *vcpu, int64_t number, const uint64_t args[6]);
void nw_syscall_return(struct nw_vcpu *vcpu, int64_t number, int64_t result);

/* exec.c: called before execve or execveat; returns unless the program can be recorded. */
void nw_exec_enter(struct nw_vcpu *vcpu, const char *path, uint64_t argv, uint64_t envp);

/* guest.c: reading the program's memory; nothing that the program gives can crash this. */
bool nw_guest_read(uint64_t address, void *data, size_t bytes);
/* A string to be freed; NULL if it is not readable or longer than `most`. */
char *nw_guest_string(uint64_t address, size_t most);
/* An array of strings ended by NULL, to be freed with nw_guest_strings_free; NULL as above. */
char **nw_guest_strings(uint64_t address);
void nw_guest_strings_free(char **strings);

#endif
