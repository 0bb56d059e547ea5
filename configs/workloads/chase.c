/* SPDX-License-Identifier: Apache-2.0 */
/* chase MEGABYTES STEPS: follows a ring of pointers, one in each cache line, in random order. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE = 64 };

struct node {
  struct node *next;
  char padding[LINE - sizeof(struct node *)];
};

static uint32_t random_below(uint32_t limit) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  return (uint32_t)((state >> 32) * limit >> 32);
}

/* Sattolo's shuffle of the identity is one cycle over all nodes. */
static void link_nodes(struct node *nodes, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    nodes[i].next = &nodes[i];
  for (uint32_t i = count - 1; i > 0; i--) {
    uint32_t other = random_below(i);
    struct node *next = nodes[i].next;
    nodes[i].next = nodes[other].next;
    nodes[other].next = next;
  }
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  uint32_t count = (uint32_t)atoi(argv[1]) * (1u << 20) / LINE;
  struct node *nodes = malloc(count * sizeof *nodes);
  if (nodes == NULL)
    return 1;
  link_nodes(nodes, count);
  struct node *at = nodes;
  for (uint32_t steps = (uint32_t)atoi(argv[2]); steps > 0; steps--)
    at = at->next;
  printf("%td\n", at - nodes);
  return 0;
}
