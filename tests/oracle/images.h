/* SPDX-License-Identifier: Apache-2.0 */
/* Two stretches of physical memory that random tables are put into. */
#ifndef NW_ORACLE_IMAGES_H
#define NW_ORACLE_IMAGES_H

#include <stdio.h>

#include "dice.h"

#define ARENA_SIZE (512u << 10)
#define ARENAS 2

/* [0] lies below 4 GB. */
struct arena {
  uint64_t base;
  uint32_t used;
  unsigned char *data;
};

struct images {
  struct arena arena[ARENAS];
};

void images_init(struct images *images);
void images_free(struct images *images);

/** New places for both arenas, each between its first and last address, and nothing in them. */
void images_reset(struct images *images, const uint64_t first[ARENAS], const uint64_t last[ARENAS],
                  struct dice *dice);

/** Room for a table of `bytes` at a multiple of `alignment`; its address in `pa`. */
void *images_place(struct images *images, bool low, uint32_t bytes, uint32_t alignment,
                   uint64_t *pa, struct dice *dice);

/** Writes both to files of `folder` whose names contain `number`, and their lines to the case. */
void images_write(const struct images *images, const char *folder, unsigned number, FILE *out);

/** Ends the program with a message of errno. */
__attribute__((noreturn)) void give_up(const char *what);

#endif
