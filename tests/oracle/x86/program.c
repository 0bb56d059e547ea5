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

/* -- images ------------------------------------------------------------------------------------ */

/* What the last commands put into memory, where no later one put anything else. */
struct image {
  uint64_t address;
  uint32_t bytes;
  const unsigned char *data;
};

#define IMAGES 64

static struct image image[IMAGES];
static unsigned images;

static void forget_images(void) {
  images = 0;
}

static void note_image(uint64_t address, uint32_t bytes, const unsigned char *data) {
  unsigned kept = 0;
  for (unsigned i = 0; i < images; i++)
    if (address + bytes <= image[i].address || image[i].address + image[i].bytes <= address)
      image[kept++] = image[i];
  images = kept;
  if (images < IMAGES)
    image[images++] = (struct image){address, bytes, data};
}

/* Every query's changes were undone, as far as they were known. Where else something has changed, 0
 * if nowhere. */
static uint64_t find_stray_change(void) {
  for (unsigned i = 0; i < images; i++) {
    const unsigned char *now = (const unsigned char *)image[i].address;
    for (uint32_t at = 0; at + 8 <= image[i].bytes; at += 8)
      if (wide((const uint32_t *)(now + at)) != wide((const uint32_t *)(image[i].data + at)))
        return image[i].address + at;
  }
  return 0;
}

/* -- commands ---------------------------------------------------------------------------------- */

static struct x86_answer *queries(const uint32_t *word, uint32_t count, struct x86_answer *answer) {
  struct x86_answer *last = answer;
  ask_prepare();
  for (; count; count--, word += 3) {
    last = answer;
    answer = ask(word[0], wide(word + 1), answer);
  }
  uint64_t stray = find_stray_change();
  if (stray) {
    last->kind = X86_BROKEN;
    last->address = stray;
  }
  return answer;
}

static void run(const uint32_t *word) {
  struct x86_answer *answer = (struct x86_answer *)(uintptr_t)X86_ANSWERS;
  bool asked = false; /* since the last image */
  for (;;) {
    switch (*word++) {
    case ORACLE_MEMORY:
      if (asked)
        forget_images();
      asked = false;
      memcpy((void *)wide(word), word + 3, word[2]);
      note_image(wide(word), word[2], (const unsigned char *)(word + 3));
      word += 3 + (word[2] + 3) / 4;
      break;
    case ORACLE_REGISTER:
      x86_reg[word[0]] = wide(word + 1);
      word += 3;
      break;
    case ORACLE_QUERIES:
      answer = queries(word + 1, word[0], answer);
      asked = true;
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
