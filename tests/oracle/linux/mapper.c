/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process whose tables are looked at: maps memory in as many ways as a kernel writes
 * descriptors for, touches it, says "nestwalk: ready ADDRESS", and loops at that address for ever.
 * A static program without a C library; what a kernel refuses (huge pages of short descriptors) is
 * left out.
 */
#include <stddef.h>
#include <stdint.h>

#if defined(__arm__)

enum {
  SYS_FORK = 2,
  SYS_WRITE = 4,
  SYS_OPEN = 5,
  SYS_PAUSE = 29,
  SYS_MADVISE = 220,
  SYS_MMAP = 192 /* mmap2 */,
  SYS_MPROTECT = 125
};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long r7 __asm__("r7") = number;
  register long r0 __asm__("r0") = a;
  register long r1 __asm__("r1") = b;
  register long r2 __asm__("r2") = c;
  register long r3 __asm__("r3") = d;
  register long r4 __asm__("r4") = e;
  register long r5 __asm__("r5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(r0)
                   : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                   : "memory");
  return r0;
}

#elif defined(__x86_64__)

enum {
  SYS_FORK = 57,
  SYS_WRITE = 1,
  SYS_OPEN = 2,
  SYS_PAUSE = 34,
  SYS_MADVISE = 28,
  SYS_MMAP = 9,
  SYS_MPROTECT = 10
};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#endif

enum { READ = 1, WRITE = 2, EXEC = 4 };
enum {
  SHARED = 1,
  PRIVATE = 2,
  FIXED = 0x10,
  ANONYMOUS = 0x20,
  HUGETLB = 0x40000,
  HUGETLB_1GB = 30 << 26
};
enum { O_RDONLY = 0, O_WRONLY = 1, ADVISE_NO_FORK = 10, ADVISE_HUGE = 14 };

#define PAGE 4096u
#define MEGABYTE 0x100000u

/* Where the mappings begin: away from program and stack, on both sides of 1 GB. */
#define AREA 0x3f000000u
#if UINTPTR_MAX > 0xffffffffu
/* In the upper half of what four levels reach, and of what only five do. */
static const uintptr_t far[] = {0x654321000000, 0xfedcba87000000};
#else
static const uintptr_t far[] = {0};
#endif

static uintptr_t map(uintptr_t address, uintptr_t bytes, int rights, int flags, int file) {
  long at = call(SYS_MMAP, (long)address, (long)bytes, rights, flags | FIXED, file, 0);
  return (uintptr_t)at == address ? address : 0;
}

static uintptr_t map_memory(uintptr_t address, uintptr_t bytes, int more) {
  return map(address, bytes, READ | WRITE, PRIVATE | ANONYMOUS | more, -1);
}

static void protect(uintptr_t address, uintptr_t bytes, int rights) {
  call(SYS_MPROTECT, (long)address, (long)bytes, rights, 0, 0, 0);
}

static void touch(uintptr_t address, uintptr_t bytes, uintptr_t step) {
  for (uintptr_t at = address; address && at < address + bytes; at += step)
    *(volatile uint32_t *)at = (uint32_t)at;
}

static void look(uintptr_t address, uintptr_t bytes, uintptr_t step) {
  for (uintptr_t at = address; address && at < address + bytes; at += step)
    (void)*(volatile uint32_t *)at;
}

static long open(const char *name, int how) {
  return call(SYS_OPEN, (long)name, how, 0, 0, 0, 0);
}

static void memory_of_all_rights(uintptr_t at) {
  touch(map_memory(at, 2 * MEGABYTE, 0), MEGABYTE, PAGE);
  look(map_memory(at + 2 * MEGABYTE, MEGABYTE, 0), MEGABYTE, 2 * PAGE); /* the page of zeros */
  for (int rights = 0; rights < 8; rights++) {
    uintptr_t here = at + 3 * MEGABYTE + (uintptr_t)rights * 32 * PAGE;
    touch(map_memory(here, 16 * PAGE, 0), 16 * PAGE, PAGE);
    protect(here, 16 * PAGE, rights);
  }
  for (uintptr_t i = 0; i < 64; i++) /* alone in its megabyte, 2 MB, 1 GB */
    touch(map_memory(at + 8 * MEGABYTE + i * 0x1101000, PAGE, 0), PAGE, PAGE);
}

static void files(uintptr_t at, const char *name) {
  long file = open(name, O_RDONLY);
  look(map(at, 64 * PAGE, READ, SHARED, (int)file), 64 * PAGE, 3 * PAGE);
  look(map(at + MEGABYTE, 64 * PAGE, READ | EXEC, PRIVATE, (int)file), 64 * PAGE, PAGE);
  uintptr_t copied = map(at + 2 * MEGABYTE, 64 * PAGE, READ | WRITE, PRIVATE, (int)file);
  look(copied, 64 * PAGE, PAGE);
  touch(copied, 64 * PAGE, 5 * PAGE);
  touch(map(at + 3 * MEGABYTE, 64 * PAGE, READ | WRITE, SHARED | ANONYMOUS, -1), 64 * PAGE, PAGE);
}

static void large_pages(uintptr_t at) {
  uintptr_t transparent = map_memory(at, 8 * MEGABYTE, 0);
  call(SYS_MADVISE, (long)transparent, 8 * MEGABYTE, ADVISE_HUGE, 0, 0, 0);
  call(SYS_MADVISE, (long)transparent, 8 * MEGABYTE, ADVISE_NO_FORK, 0, 0, 0);
  touch(transparent, 6 * MEGABYTE, PAGE);
  protect(at + 2 * MEGABYTE, 2 * MEGABYTE, READ);
  touch(map_memory(at + 16 * MEGABYTE, 4 * MEGABYTE, HUGETLB), 4 * MEGABYTE, PAGE);
  protect(at + 18 * MEGABYTE, 2 * MEGABYTE, READ | EXEC);
}

/* One page of 1 GB, where the kernel has set one aside. */
static void huge_page(uintptr_t at) {
  touch(map_memory(at, 1024 * MEGABYTE, HUGETLB | HUGETLB_1GB), 1024 * MEGABYTE, 64 * MEGABYTE);
}

/* A child that waits shares every page, so that none is writable until it is written to again. */
static void share_with_child(void) {
  if (call(SYS_FORK, 0, 0, 0, 0, 0, 0) == 0)
    for (;;)
      call(SYS_PAUSE, 0, 0, 0, 0, 0, 0);
}

/* The kernel forgets which pages were accessed; some are then accessed. */
static void grow_old(uintptr_t at) {
  long file = open("/proc/self/clear_refs", O_WRONLY);
  call(SYS_WRITE, file, (long)"1", 1, 0, 0, 0);
  touch(at, MEGABYTE / 2, 3 * PAGE);
  look(at, MEGABYTE / 2, 5 * PAGE);
}

static void say_ready(uintptr_t address) {
  char text[] = "nestwalk: ready 00000000\n";
  for (int digit = 0; digit < 8; digit++)
    text[23 - digit] = "0123456789abcdef"[address >> 4 * digit & 15];
  call(SYS_WRITE, 1, (long)text, sizeof(text) - 1, 0, 0, 0);
}

__attribute__((noreturn)) void _start(void);
void _start(void) {
  extern char mapper_loop[];
  memory_of_all_rights(AREA + 0x4000000);
  grow_old(AREA + 0x4000000);
  memory_of_all_rights(AREA);
  files(AREA + 0x50000000, "/bin/busybox");
  large_pages(AREA + 0x60000000);
  if (far[0])
    huge_page(far[0] & ~(uintptr_t)0xffffffffff);
  for (size_t i = 0; i < sizeof(far) / sizeof(far[0]) && far[i]; i++)
    memory_of_all_rights(far[i]);
  share_with_child();
  touch(AREA, MEGABYTE, PAGE);
  say_ready((uintptr_t)mapper_loop);
#if defined(__arm__)
  __asm__ volatile(".global mapper_loop\nmapper_loop: b mapper_loop");
#else
  __asm__ volatile(".global mapper_loop\nmapper_loop: jmp mapper_loop");
#endif
  __builtin_unreachable();
}
