/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void give_up(const char *what) {
  fprintf(stderr, "generate: %s: %s\n", what, strerror(errno));
  exit(1);
}

void images_init(struct images *images) {
  for (unsigned i = 0; i < ARENAS; i++)
    if (!(images->arena[i].data = malloc(ARENA_SIZE)))
      give_up("memory");
}

void images_free(struct images *images) {
  for (unsigned i = 0; i < ARENAS; i++)
    free(images->arena[i].data);
}

void images_reset(struct images *images, const uint64_t first[ARENAS], const uint64_t last[ARENAS],
                  struct dice *dice) {
  for (unsigned i = 0; i < ARENAS; i++) {
    struct arena *arena = &images->arena[i];
    uint64_t room = last[i] + 1 - first[i] - ARENA_SIZE;
    arena->base = (first[i] + roll(dice) % room) & ~(uint64_t)0xffff;
    arena->used = 0;
    memset(arena->data, 0, ARENA_SIZE);
  }
}

void *images_place(struct images *images, bool low, uint32_t bytes, uint32_t alignment,
                   uint64_t *pa, struct dice *dice) {
  struct arena *arena = &images->arena[low ? 0 : below(dice, ARENAS)];
  uint32_t at = (arena->used + alignment - 1) & ~(alignment - 1);
  if (at + bytes > ARENA_SIZE) /* full: a place that is taken is as good as any */
    at = below(dice, (ARENA_SIZE - bytes) / alignment) * alignment;
  else
    arena->used = at + bytes;
  *pa = arena->base + at;
  return arena->data + at;
}

static void write_image(const struct arena *arena, const char *folder, unsigned number, FILE *out) {
  char name[4096];
  if (!arena->used)
    return;
  snprintf(name, sizeof(name), "%s/image%u", folder, number);
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(arena->data, 1, arena->used, file) != arena->used || fclose(file) != 0)
    give_up(name);
  fprintf(out, "mem image%u@0x%" PRIx64 "\n", number, arena->base);
}

void images_write(const struct images *images, const char *folder, unsigned number, FILE *out) {
  for (unsigned i = 0; i < ARENAS; i++)
    write_image(&images->arena[i], folder, number * ARENAS + i, out);
}
