/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in an x86-64 machine: does what the commands in "questions" say, and leaves
 * "answers". The host put the one into memory, and takes the other from there.
 */
#include "program.h"

uint64_t x86_reg[X86_REGISTERS];

int x86_main(void);
void *memset(void *to, int value, size_t bytes);

/* The compiler calls these two by name. */
void *memcpy(void *to, const void *from, size_t bytes) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return start;
}

void *memset(void *to, int value, size_t bytes) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return start;
}

static uint64_t wide(const uint32_t *word) {
  return (uint64_t)word[1] << 32 | word[0];
}

static struct x86_answer *queries(const uint32_t *word, uint32_t count, struct x86_answer *answer) {
  ask_prepare();
  for (; count; count--, word += 3)
    answer = ask(word[0], wide(word + 1), answer);
  return answer;
}

static void run(const uint32_t *word) {
  struct x86_answer *answer = (struct x86_answer *)(uintptr_t)X86_ANSWERS;
  for (;;) {
    switch (*word++) {
    case ORACLE_MEMORY:
      memcpy((void *)wide(word), word + 3, word[2]);
      word += 3 + (word[2] + 3) / 4;
      break;
    case ORACLE_REGISTER:
      x86_reg[word[0]] = wide(word + 1);
      word += 3;
      break;
    case ORACLE_QUERIES:
      answer = queries(word + 1, word[0], answer);
      word += 1 + 3 * word[0];
      break;
    default:
      return;
    }
  }
}

int x86_main(void) {
  guest_prepare();
  run((const uint32_t *)(uintptr_t)X86_QUESTIONS);
  return 0;
}
