/* SPDX-License-Identifier: Apache-2.0 */
/* The two disks of the first ATA channel, by programmed input and output. */
#include "rom.h"

#define DATA 0x1f0
#define COUNT 0x1f2
#define LBA_LOW 0x1f3
#define LBA_MIDDLE 0x1f4
#define LBA_HIGH 0x1f5
#define DEVICE 0x1f6
#define COMMAND 0x1f7 /* read: status */
#define DEVICE_LBA 0xe0
#define DEVICE_SECOND 0x10
#define READ_SECTORS 0x20
#define WRITE_SECTORS 0x30
#define STATUS_BUSY 0x80
#define STATUS_REQUEST 0x08
#define STATUS_ERROR 0x01

#define SECTORS 256u /* of one command, which says 0 */
#define SECTOR_BYTES 512u
#define BUFFER_BYTES (SECTORS * SECTOR_BYTES)

static uint32_t commands[BUFFER_BYTES / 4];
static size_t commands_at = BUFFER_BYTES / 4;
static uint32_t commands_sector;

static uint8_t answers[BUFFER_BYTES];
static size_t answers_used;
static uint32_t answers_sector;

/* One instruction, which Bochs makes short work of. */
static void copy(volatile void *to, const void *from, size_t bytes) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static void wait_for(uint8_t wanted) {
  uint8_t status;
  do
    status = in8(COMMAND);
  while ((status & STATUS_BUSY) || (!(status & STATUS_ERROR) && (status & wanted) != wanted));
  if (status & STATUS_ERROR)
    rom_fail("the disk reports an error");
}

static void begin(uint8_t command, uint8_t which, uint32_t sector, uint32_t sectors) {
  wait_for(0);
  out8(DEVICE, (uint8_t)(DEVICE_LBA | which | sector >> 24));
  out8(COUNT, (uint8_t)sectors);
  out8(LBA_LOW, (uint8_t)sector);
  out8(LBA_MIDDLE, (uint8_t)(sector >> 8));
  out8(LBA_HIGH, (uint8_t)(sector >> 16));
  out8(COMMAND, command);
}

static void read_commands(void) {
  void *to = commands;
  begin(READ_SECTORS, 0, commands_sector, SECTORS);
  for (unsigned i = 0; i < SECTORS; i++) {
    uint64_t words = SECTOR_BYTES / 2;
    wait_for(STATUS_REQUEST);
    __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(DATA) : "memory");
  }
  commands_sector += SECTORS;
  commands_at = 0;
}

uint32_t disk_word(void) {
  if (commands_at == BUFFER_BYTES / 4)
    read_commands();
  return commands[commands_at++];
}

void disk_words(volatile void *to, size_t words) {
  while (words) {
    if (commands_at == BUFFER_BYTES / 4)
      read_commands();
    size_t here = BUFFER_BYTES / 4 - commands_at;
    here = words < here ? words : here;
    copy(to, &commands[commands_at], here * 4);
    to = (volatile uint8_t *)to + here * 4;
    commands_at += here;
    words -= here;
  }
}

static void write_answers(uint32_t sectors) {
  const void *from = answers;
  begin(WRITE_SECTORS, DEVICE_SECOND, answers_sector, sectors);
  for (unsigned i = 0; i < sectors; i++) {
    uint64_t words = SECTOR_BYTES / 2;
    wait_for(STATUS_REQUEST);
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(DATA) : "memory");
  }
  wait_for(0);
  answers_sector += sectors;
  answers_used = 0;
}

void disk_put(const void *data, size_t bytes) {
  while (bytes) {
    size_t here = BUFFER_BYTES - answers_used;
    here = bytes < here ? bytes : here;
    copy(&answers[answers_used], data, here);
    data = (const uint8_t *)data + here;
    answers_used += here;
    bytes -= here;
    if (answers_used == BUFFER_BYTES)
      write_answers(SECTORS);
  }
}

void disk_finish(void) {
  if (answers_used)
    write_answers((uint32_t)((answers_used + SECTOR_BYTES - 1) / SECTOR_BYTES));
}
