/* SPDX-License-Identifier: Apache-2.0 */
/* forks MEGABYTES REQUESTS: a table is built; each request is answered by a child, which looks up
 * entries all over the table and changes some of those in a few of its pages. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOKUPS = 8000, CHANGES = 2000, CHANGED_WORDS = 32 * 1024 };

static uint32_t random_below(uint32_t limit) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  return (uint32_t)((state >> 32) * limit >> 32);
}

static int answer(uint32_t *table, uint32_t words) {
  uint32_t sum = 0;
  for (int i = 0; i < LOOKUPS; i++)
    sum += table[random_below(words)];
  uint32_t *changed = table + random_below(words - CHANGED_WORDS);
  for (int i = 0; i < CHANGES; i++)
    changed[random_below(CHANGED_WORDS)] = sum;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  uint32_t words = (uint32_t)atoi(argv[1]) * (1u << 20) / sizeof(uint32_t);
  uint32_t *table = malloc(words * sizeof *table);
  if (table == NULL)
    return 1;
  for (uint32_t i = 0; i < words; i++)
    table[i] = i;
  for (int request = atoi(argv[2]); request > 0; request--) {
    pid_t child = fork();
    if (child == 0)
      _exit(answer(table, words));
    if (child < 0 || waitpid(child, NULL, 0) != child)
      return 1;
    random_below(words); /* so that the next child looks elsewhere */
  }
  puts("done");
  return 0;
}
