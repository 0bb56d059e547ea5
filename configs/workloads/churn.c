/* SPDX-License-Identifier: Apache-2.0 */
/* churn ROUNDS: each round maps a buffer of 4 to 64 pages, writes a little into each page, protects
 * half of it, reads it, and unmaps it. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, WORDS = 40 };

static uint32_t random_below(uint32_t limit) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  return (uint32_t)((state >> 32) * limit >> 32);
}

static uint32_t use(volatile uint32_t *page, int write) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < WORDS; i++) {
    if (write)
      page[i * 4] = i;
    else
      sum += page[i * 4];
  }
  return sum;
}

static uint32_t use_all(unsigned char *buffer, size_t pages, int write) {
  uint32_t sum = 0;
  for (size_t i = 0; i < pages; i++)
    sum += use((volatile uint32_t *)(void *)(buffer + i * PAGE), write);
  return sum;
}

int main(int argc, char **argv) {
  uint32_t sum = 0;
  if (argc != 2)
    return 2;
  for (int round = atoi(argv[1]); round > 0; round--) {
    size_t pages = 4 + random_below(61);
    unsigned char *buffer =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED)
      return 1;
    use_all(buffer, pages, 1);
    mprotect(buffer, pages / 2 * PAGE, PROT_READ);
    sum += use_all(buffer, pages, 0);
    munmap(buffer, pages * PAGE);
  }
  printf("%u\n", sum);
  return 0;
}
