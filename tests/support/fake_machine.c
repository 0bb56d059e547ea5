/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nw_machine {
  nw_process_id running, last;
  struct nw_machine_statistics statistics;
  struct nw_mmu_statistics mmu;
  struct nw_hierarchy *hierarchy;
};

static char text[16384];
static uint64_t refused_va;
static enum nw_machine_status refused_status;

const char *fake_machine_log(void) {
  return text;
}

void fake_machine_refuse(uint64_t va, enum nw_machine_status status) {
  refused_va = va;
  refused_status = status;
}

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...) {
  size_t used = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  used += (size_t)snprintf(text + used, sizeof text - used, "%s", used ? " " : "");
  vsnprintf(text + used, sizeof text - used, format, arguments);
  va_end(arguments);
}

struct nw_machine *nw_machine_create(const struct nw_machine_config *config, enum nw_mode mode,
                                     char *error, size_t error_size) {
  (void)mode;
  text[0] = '\0';
  struct nw_machine *machine = calloc(1, sizeof *machine);
  if (machine)
    machine->hierarchy = nw_hierarchy_create(&config->memory, error, error_size);
  return machine;
}

void nw_machine_destroy(struct nw_machine *machine) {
  if (machine)
    nw_hierarchy_destroy(machine->hierarchy);
  free(machine);
}

nw_process_id nw_machine_spawn(struct nw_machine *machine) {
  note("spawn=%u", ++machine->last);
  return machine->last;
}

nw_process_id nw_machine_fork(struct nw_machine *machine, nw_process_id parent, bool share) {
  note("%s:%u=%u", share ? "share" : "fork", parent, machine->last + 1);
  return ++machine->last;
}

enum nw_machine_status nw_machine_switch(struct nw_machine *machine, nw_process_id process) {
  if (machine->running != process)
    note("go:%u", process);
  machine->running = process;
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_exit(struct nw_machine *machine, nw_process_id process) {
  note("exit:%u", process);
  if (machine->running == process)
    machine->running = 0;
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_exec(struct nw_machine *machine) {
  (void)machine;
  note("exec");
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_map(struct nw_machine *machine, uint64_t va, uint64_t length,
                                      unsigned protection, bool shared) {
  (void)machine;
  note("map:%" PRIx64 "+%" PRIx64 ":%u%s", va, length, protection, shared ? "s" : "");
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_unmap(struct nw_machine *machine, uint64_t va, uint64_t length) {
  (void)machine;
  note("unmap:%" PRIx64 "+%" PRIx64, va, length);
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_set_content(struct nw_machine *machine, uint64_t va,
                                              uint64_t length, uint64_t tag, uint64_t first) {
  (void)machine;
  note("content:%" PRIx64 "+%" PRIx64 ":%" PRIx64 "/%" PRIu64, va, length, tag, first);
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_protect(struct nw_machine *machine, uint64_t va, uint64_t length,
                                          unsigned protection) {
  (void)machine;
  note("protect:%" PRIx64 "+%" PRIx64 ":%u", va, length, protection);
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_remap(struct nw_machine *machine, uint64_t old_va,
                                        uint64_t old_length, uint64_t new_va, uint64_t new_length) {
  (void)machine;
  note("remap:%" PRIx64 "+%" PRIx64 ":%" PRIx64 "+%" PRIx64, old_va, old_length, new_va,
       new_length);
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_syscall(struct nw_machine *machine) {
  machine->statistics.syscalls++;
  note("syscall");
  return NW_MACHINE_OK;
}

enum nw_machine_status nw_machine_access(struct nw_machine *machine, enum nw_access access,
                                         uint64_t va, uint32_t count) {
  if (refused_status != NW_MACHINE_OK && va == refused_va)
    return refused_status;
  machine->statistics.references += count;
  machine->statistics.instructions += access == NW_EXECUTE ? count : 0;
  if (access == NW_EXECUTE)
    note("x%" PRIx64 "*%u", va, count);
  else
    note("%c%" PRIx64, access == NW_READ ? 'r' : 'w', va);
  return NW_MACHINE_OK;
}

void nw_machine_expect(struct nw_machine *machine, uint64_t instructions) {
  (void)machine;
  (void)instructions;
}

const struct nw_machine_statistics *nw_machine_statistics(const struct nw_machine *machine) {
  return &machine->statistics;
}

const struct nw_mmu_statistics *nw_machine_mmu_statistics(const struct nw_machine *machine) {
  return &machine->mmu;
}

const struct nw_hierarchy *nw_machine_hierarchy(const struct nw_machine *machine) {
  return machine->hierarchy;
}
