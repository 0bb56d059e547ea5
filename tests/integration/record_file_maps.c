/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the file that it is given (five pages): private as a whole and beyond its end, private from
 * its fourth page on, shared; and anonymous memory. */
#include <fcntl.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
  int fd = open(argv[argc - 1], O_RDONLY);
  void *whole = mmap(0, 8 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  void *part = mmap(0, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 3 * 4096);
  void *shared = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  void *anonymous = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return whole == MAP_FAILED || part == MAP_FAILED || shared == MAP_FAILED ||
         anonymous == MAP_FAILED;
}
