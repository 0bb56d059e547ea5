/* SPDX-License-Identifier: Apache-2.0 */
/* make_trace FILE [ARCHITECTURE]: writes a trace from the script on standard input. */
#include "support/trace_script.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs("usage: make_trace FILE [ARCHITECTURE] <SCRIPT\n", stderr);
    return 2;
  }
  return trace_script_write(stdin, argc > 2 ? argv[2] : "armv7", argv[1]) ? 0 : 1;
}
