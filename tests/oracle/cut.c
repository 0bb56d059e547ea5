/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <inttypes.h>
#include <stdio.h>

#include "protocol.h"

static const char *const names[NW_REGISTERS] = {
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
};

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
               const struct cut_reads *reads, const char *model, const char *machine) {
  static const char *const scopes[] = {"s12", "s1", "s2"};
  const struct nw_regime *regime = &reader->regime;
  char name[4096];
  snprintf(name, sizeof(name), "%s/cut.case", folder);
  FILE *out = fopen(name, "w");
  if (!out)
    return false;
  bool good = true;
  fprintf(out, "format 1\n# model:   %s\n# machine: %s\nram 0x%llx-0x%llx\n", model, machine,
          ORACLE_RAM_FIRST, ORACLE_RAM_LAST);
  for (size_t i = 0; i < reads->count; i++) {
    if (reads->read[i].abort)
      fprintf(out, "# no memory at 0x%" PRIx64 "\n", reads->read[i].address);
    else
      good = write_read(folder, out, reads, i) && good;
  }
  fprintf(out, "regime %s\nwalk %s\n", nw_regime_name((enum nw_regime_kind)regime->kind),
          scopes[reader->scope]);
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    fprintf(out, "reg %s 0x%" PRIx64 "\n", names[i], regime->reg[i]);
  fprintf(out, "%.*s\n", (int)reader->length, reader->line);
  return fclose(out) == 0 && good;
}
