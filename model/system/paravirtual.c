/* SPDX-License-Identifier: Apache-2.0 */
#include "system/paravirtual.h"

#include <stdlib.h>

#include "system/internal.h"

struct nw_paravirtual {
  unsigned batch, count;
  struct nw_announcement announced[NW_PARAVIRTUAL_BATCH];
};

struct nw_paravirtual *nw_paravirtual_create(unsigned batch) {
  struct nw_paravirtual *paravirtual = calloc(1, sizeof *paravirtual);
  if (paravirtual != NULL)
    paravirtual->batch = batch;
  return paravirtual;
}

void nw_paravirtual_destroy(struct nw_paravirtual *paravirtual) {
  free(paravirtual);
}

void nw_paravirtual_flush(struct nw_machine *machine) {
  struct nw_paravirtual *paravirtual = machine->paravirtual;
  if (paravirtual == NULL || paravirtual->count == 0)
    return;
  machine->mode->hypercall(machine, paravirtual->announced, paravirtual->count);
  paravirtual->count = 0;
}

static void announce(struct nw_machine *machine, uint64_t ipa, bool released) {
  struct nw_paravirtual *paravirtual = machine->paravirtual;
  if (paravirtual == NULL)
    return;
  paravirtual->announced[paravirtual->count++] = (struct nw_announcement){ipa, released};
  if (paravirtual->count == paravirtual->batch)
    nw_paravirtual_flush(machine);
}

void nw_paravirtual_stored(struct nw_machine *machine, uint64_t ipa) {
  announce(machine, ipa, false);
}

void nw_paravirtual_released(struct nw_machine *machine, uint64_t ipa) {
  announce(machine, ipa, true);
}
