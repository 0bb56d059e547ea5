/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts four threads of 200000 stores each; then a child that closes all descriptors, works on, takes
 * descriptors 1000 to 1010 for itself, works on, and executes the program again by /proc/self/exe,
 * which starts four threads again. Nobody waits for the child.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int counters[4];

static void *count(void *counter) {
  for (int i = 0; i < 200000; i++)
    ++*(volatile int *)counter;
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    if (pthread_create(&threads[i], NULL, count, (void *)&counters[i]) != 0)
      return 1;
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  if (getenv("AGAIN") != NULL || fork() != 0)
    return 0;
  setenv("AGAIN", "1", 1);
  for (int i = 0; i < 5000; i++)
    close(i);
  count((void *)&counters[0]);
  for (int i = 1000, fd = open("/dev/null", O_RDWR); i <= 1010; i++)
    if (dup2(fd, i) != i)
      return 2;
  count((void *)&counters[0]);
  execl("/proc/self/exe", "again", (char *)NULL);
  return 3;
}
