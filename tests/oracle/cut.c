/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <inttypes.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>

#include "case/reader.h"

static const char *const names[NW_ARCHITECTURES][NW_REGISTERS] = {
    [NW_ARMV7] =
        {
            [NW_REG_HCR] = "HCR",
            [NW_REG_VTCR] = "VTCR",
            [NW_REG_VTTBR] = "VTTBR",
            [NW_REG_TTBCR] = "TTBCR",
            [NW_REG_TTBR0] = "TTBR0",
            [NW_REG_TTBR1] = "TTBR1",
            [NW_REG_DACR] = "DACR",
            [NW_REG_SCTLR] = "SCTLR",
            [NW_REG_PRRR_MAIR0] = "MAIR0",
            [NW_REG_NMRR_MAIR1] = "MAIR1",
            [NW_REG_CONTEXTIDR] = "CONTEXTIDR",
        },
    [NW_X86_64] =
        {
            [NW_X86_CR0] = "CR0",
            [NW_X86_CR4] = "CR4",
            [NW_X86_CR3] = "CR3",
            [NW_X86_EFER] = "EFER",
            [NW_X86_PKRU] = "PKRU",
            [NW_X86_AC] = "AC",
            [NW_X86_HOST_CR4] = "hCR4",
            [NW_X86_HOST_EFER] = "hEFER",
        },
};

/* Names by regime; NULL: it has none. */
static const char *register_name(const struct nw_regime *regime, unsigned reg) {
  if (regime->kind == NW_REGIME_X86_SVM_NPT && reg == NW_X86_NESTED_ROOT)
    return "nCR3";
  if (regime->kind == NW_REGIME_X86_EPT && reg == NW_X86_NESTED_ROOT)
    return "EPTP";
  return names[regime->architecture][reg];
}

void cut_note_line(struct cut_machine *machine, const struct nw_case_reader *reader) {
  static const char *const words[] = {"ram ", "nomem ", "maxphyaddr ", "cap "};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && machine->count < CUT_LINES; i++)
    if (reader->length > strlen(words[i]) && memcmp(reader->line, words[i], strlen(words[i])) == 0)
      machine->line[machine->count++] = strndup(reader->line, reader->length);
}

void cut_machine_free(struct cut_machine *machine) {
  while (machine->count)
    free(machine->line[--machine->count]);
}

void cut_note_read(struct cut_reads *reads, const struct nw_step *step,
                   const struct nw_answer *answer) {
  size_t i = 0;
  while (i < reads->count && reads->read[i].address != step->address)
    i++;
  if (i < reads->count || i == CUT_READS)
    return;
  reads->read[i].address = step->address;
  reads->read[i].data = answer->data;
  reads->read[i].size = step->size;
  reads->read[i].abort = answer->abort;
  reads->count++;
}

/* One file a descriptor, since a case names whole files. */
static bool write_read(const char *folder, FILE *out, const struct cut_reads *reads, size_t i) {
  char name[4096];
  uint64_t data = reads->read[i].data;
  snprintf(name, sizeof(name), "%s/cut%zu.bin", folder, i);
  FILE *file = fopen(name, "wb");
  if (!file)
    return false;
  for (unsigned byte = 0; byte < reads->read[i].size; byte++)
    fputc((int)(data >> 8 * byte & 0xff), file);
  fprintf(out, "mem cut%zu.bin@0x%" PRIx64 " # 0x%0*" PRIx64 "\n", i, reads->read[i].address,
          (int)reads->read[i].size * 2, data);
  return fclose(file) == 0;
}

bool cut_write(const char *folder, const struct nw_case_reader *reader,
               const struct cut_machine *lines, const struct cut_reads *reads, const char *model,
               const char *machine) {
  static const char *const scopes[] = {"s12", "s1", "s2"};
  const struct nw_regime *regime = &reader->regime;
  char name[4096];
  snprintf(name, sizeof(name), "%s/cut.case", folder);
  FILE *out = fopen(name, "w");
  if (!out)
    return false;
  bool good = true;
  fprintf(out, "format 1\n# model:   %s\n# machine: %s\n", model, machine);
  for (size_t i = 0; i < lines->count; i++)
    fprintf(out, "%s\n", lines->line[i]);
  for (size_t i = 0; i < reads->count; i++) {
    if (reads->read[i].abort)
      fprintf(out, "# no memory at 0x%" PRIx64 "\n", reads->read[i].address);
    else
      good = write_read(folder, out, reads, i) && good;
  }
  fprintf(out, "regime %s\nwalk %s\n", nw_regime_name((enum nw_regime_kind)regime->kind),
          scopes[reader->scope]);
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (register_name(regime, i))
      fprintf(out, "reg %s 0x%" PRIx64 "\n", register_name(regime, i), regime->reg[i]);
  if (reader->update_check)
    fputs("update-check\n", out);
  fprintf(out, "%.*s\n", (int)reader->length, reader->line);
  return fclose(out) == 0 && good;
}
