/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCG plugin: turns what QEMU executes into records. Each translated block gets, for each page
 * that it touches, a callback whose argument is the BLOCK record itself; loads and stores make
 * theirs from the address. All records of a virtual CPU go to its stream in the spool
 * (trace/spool.h), which survives any end of the process; so the plugin needs no work at exit.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/qemu_plugin.h"
#include "record/recorder.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* QEMU numbers its virtual CPUs by the threads that live at the same time. */
#define VCPUS_MAX 4096u

struct nw_process nw_process;
static struct nw_vcpu vcpus[VCPUS_MAX];
static bool layout_pending = true;
static uint32_t first_stream = NW_NO_RESERVATION; /* given after an exec */

/* The virtual CPU whose thread is in a system call; a new one is made inside its parent's clone. */
static __thread struct nw_vcpu *calling;

void nw_stop_on_failure(bool written) {
  if (!written)
    _exit(125); /* the recorder reports what nw_spool_fail noted */
}

void nw_emit(struct nw_vcpu *vcpu, enum nw_event event, const uint64_t *operands, size_t count) {
  nw_stop_on_failure(nw_spool_event(vcpu->writer, event, operands, count));
}

static void set_ids(struct nw_spool_stream *shared) {
  shared->pid = (uint32_t)getpid();
  shared->tid = (uint32_t)syscall(SYS_gettid);
}

struct nw_spool_writer *nw_start_child(const struct nw_vcpu *parent, uint32_t id, uint32_t flags) {
  struct nw_spool_stream *from = parent->writer->shared;
  struct nw_spool_writer *writer =
      nw_spool_start(&nw_process.spool, id, from->stream, parent->fork_word);
  nw_stop_on_failure(writer != NULL);
  memcpy(writer->shared->program, from->program, sizeof from->program);
  writer->shared->flags = flags;
  writer->shared->pid = (uint32_t)getpid();
  return writer;
}

void nw_become_child(struct nw_vcpu *vcpu) {
  struct nw_spool_writer *writer = nw_start_child(vcpu, vcpu->reserved, 0);
  set_ids(writer->shared);
  for (size_t i = 0; i < VCPUS_MAX; i++) {
    nw_spool_stop(vcpus[i].writer, false);
    vcpus[i].writer = NULL;
  }
  vcpu->writer = writer;
  vcpu->reserved = NW_NO_RESERVATION;
}

/* Begins the stream of a program's first thread. */
static void start_program(struct nw_vcpu *vcpu) {
  bool again = first_stream != NW_NO_RESERVATION;
  uint32_t id = again ? first_stream : nw_spool_reserve(&nw_process.spool);
  vcpu->writer = again ? nw_spool_continue(&nw_process.spool, id)
                       : nw_spool_start(&nw_process.spool, id, NW_TRACE_NO_STREAM, 0);
  nw_stop_on_failure(vcpu->writer != NULL);
  struct nw_spool_stream *shared = vcpu->writer->shared;
  set_ids(shared);
  shared->flags &= ~NW_STREAM_THREAD; /* a thread that calls execve becomes a process */
  snprintf(shared->program, sizeof shared->program, "%s", nw_process.program);
}

static void on_vcpu_init(qemu_plugin_id_t id, unsigned index) {
  (void)id;
  if (index >= VCPUS_MAX) {
    nw_spool_fail(&nw_process.spool, "more than %u threads at a time", VCPUS_MAX);
    nw_stop_on_failure(false);
  }
  struct nw_vcpu *vcpu = &vcpus[index];
  *vcpu = (struct nw_vcpu){.reserved = NW_NO_RESERVATION, .thread = NW_NO_RESERVATION};
  if (calling == NULL) {
    start_program(vcpu);
    return;
  }
  calling->thread = calling->reserved;
  calling->reserved = NW_NO_RESERVATION;
  vcpu->writer = nw_start_child(calling, calling->thread, NW_STREAM_THREAD);
}

static void on_block(unsigned index, void *record) {
  struct nw_spool_writer *writer = vcpus[index].writer;
  if (writer != NULL)
    nw_stop_on_failure(nw_spool_append(writer, (uint64_t)(uintptr_t)record));
}

static void on_memory(unsigned index, qemu_plugin_meminfo_t info, uint64_t va, void *data) {
  struct nw_spool_writer *writer = vcpus[index].writer;
  (void)data;
  enum nw_rec_kind kind = qemu_plugin_mem_is_store(info) ? NW_REC_STORE : NW_REC_LOAD;
  uint32_t size = 1u << qemu_plugin_mem_size_shift(info);
  if (writer != NULL)
    nw_stop_on_failure(nw_spool_append(writer, nw_rec_make(kind, size, va)));
}

/* Number of instructions from `first` on that begin in the page of the first. */
static size_t run_length(const struct qemu_plugin_tb *tb, size_t first, size_t count,
                         uint64_t page) {
  size_t n = 1;
  while (first + n < count && n < NW_REC_AUX_MAX &&
         qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, first + n)) / NW_PAGE_SIZE == page)
    n++;
  return n;
}

/* Where guest address 0 is in this process: QEMU says it, or an instruction's two addresses do. */
static void find_guest_base(struct qemu_plugin_tb *tb) {
  const uintptr_t *exported = dlsym(RTLD_DEFAULT, "guest_base");
  struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
  nw_process.guest_base =
      exported != NULL ? *exported
                       : (uintptr_t)qemu_plugin_insn_haddr(insn) - qemu_plugin_insn_vaddr(insn);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(tb);
  if (layout_pending) {
    /* The program's first block: it has one thread, whose virtual CPU is the first. */
    layout_pending = false;
    find_guest_base(tb);
    nw_emit_layout(&vcpus[0]);
  }
  for (size_t first = 0, n; first < count; first += n) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, first);
    uint64_t va = qemu_plugin_insn_vaddr(insn);
    n = run_length(tb, first, count, va / NW_PAGE_SIZE);
    void *record = (void *)(uintptr_t)nw_rec_make(NW_REC_BLOCK, (uint32_t)n, va);
    if (first == 0)
      qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, record);
    else
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_block, QEMU_PLUGIN_CB_NO_REGS, record);
  }
  for (size_t i = 0; i < count; i++)
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), on_memory,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

static void on_syscall(qemu_plugin_id_t id, unsigned index, int64_t number, uint64_t a1,
                       uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                       uint64_t a8) {
  (void)id, (void)a7, (void)a8;
  struct nw_vcpu *vcpu = &vcpus[index];
  if (vcpu->writer == NULL)
    return;
  calling = vcpu;
  if (vcpu->writer->shared->tid == 0)
    set_ids(vcpu->writer->shared);
  uint64_t record = nw_rec_make(NW_REC_SYSCALL, 0, (uint64_t)number);
  nw_stop_on_failure(nw_spool_append(vcpu->writer, record));
  nw_syscall_enter(vcpu, number, (uint64_t[]){a1, a2, a3, a4, a5, a6});
}

static void on_syscall_return(qemu_plugin_id_t id, unsigned index, int64_t number, int64_t result) {
  (void)id;
  if (vcpus[index].writer != NULL)
    nw_syscall_return(&vcpus[index], number, result);
}

/* The program's path, from QEMU's own command line: it follows "-0 NAME" (exec.c, cmd_record.c). */
static char *find_program(void) {
  char *word = NULL;
  size_t size = 0;
  int after = 0;
  char *found = NULL;
  FILE *file = fopen("/proc/self/cmdline", "re");
  while (file != NULL && found == NULL && getdelim(&word, &size, '\0', file) > 0) {
    if (after == 2)
      found = realpath(word, NULL);
    else if (after == 1 || strcmp(word, "-0") == 0)
      after++;
  }
  if (file != NULL)
    fclose(file);
  free(word);
  return found;
}

static bool set_architecture(const char *target) {
  for (const struct nw_guest_arch *arch = nw_guest_archs; arch->name != NULL; arch++)
    if (strcmp(arch->qemu_target, target) == 0)
      nw_process.arch = arch;
  if (nw_process.arch == NULL)
    return false;
  nw_process.address_mask = nw_process.arch->elf_class == 1 ? UINT32_MAX : UINT64_MAX;
  return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv) {
  const char *folder = NULL;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "dir=", 4) == 0)
      folder = argv[i] + 4;
    else if (strncmp(argv[i], "stream=", 7) == 0)
      first_stream = (uint32_t)strtoul(argv[i] + 7, NULL, 10);
  }
  if (folder == NULL || info->system_emulation || !set_architecture(info->target_name)) {
    fputs("nestwalk-record: runs under `nestwalk record` only\n", stderr);
    return -1;
  }
  nw_process.program = find_program();
  if (nw_process.program == NULL || !nw_spool_attach(&nw_process.spool, folder)) {
    fprintf(stderr, "nestwalk-record: %s: no recording to write to\n", folder);
    return -1;
  }
  atomic_fetch_add(&nw_process.spool.control->attached, 1);
  qemu_plugin_register_vcpu_init_cb(id, on_vcpu_init);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, on_syscall_return);
  return 0;
}
