/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces from text, one item a line; `#` starts a comment, blank lines count for nothing.
 *
 *   stream PARENT FLAGS         adds stream 0, 1, ...; PARENT is a stream or -
 *   S block VA COUNT            S is the stream that the record goes to
 *   S load VA SIZE              S store VA SIZE          S syscall NUMBER
 *   S map ADDRESS LENGTH PROTECTION FLAGS
 *   S unmap ADDRESS LENGTH      S protect ADDRESS LENGTH PROTECTION
 *   S brk OLD NEW               S remap OLD LENGTH NEW LENGTH
 *   S fork CHILD FLAGS ID       S exec FLAGS             S exit STATUS FLAGS
 *   S content ADDRESS LENGTH TAG
 *
 * All streams are added before the first record. Numbers as strtoull(3) takes them.
 */
#ifndef NW_TESTS_TRACE_SCRIPT_H
#define NW_TESTS_TRACE_SCRIPT_H

#include <stdbool.h>
#include <stdio.h>

/* Writes the trace `path` for a program of `architecture`; false with a message on standard
 * error. */
bool trace_script_write(FILE *script, const char *architecture, const char *path);

#endif
