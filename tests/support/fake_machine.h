/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the machine where the run loop is tested: it writes down what it was asked to do,
 * one item after the other, separated by spaces. P is a process.
 *
 *   spawn=P  fork:P=CHILD  share:P=CHILD  go:P  exit:P  exec  syscall
 *   content:ADDRESS+LENGTH:TAG/PAGE
 *   map:ADDRESS+LENGTH:PROTECTION[s]  unmap:ADDRESS+LENGTH  protect:ADDRESS+LENGTH:PROTECTION
 *   remap:ADDRESS+LENGTH:ADDRESS+LENGTH  xADDRESS*COUNT  rADDRESS  wADDRESS
 */
#ifndef NW_TESTS_FAKE_MACHINE_H
#define NW_TESTS_FAKE_MACHINE_H

#include "system/machine.h"

/* What was asked for since the last nw_machine_create(). */
const char *fake_machine_log(void);

/* An access to this address answers with a status from now on; status NW_MACHINE_OK: none does. */
void fake_machine_refuse(uint64_t va, enum nw_machine_status status);

#endif
