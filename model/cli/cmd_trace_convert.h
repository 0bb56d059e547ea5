/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NESTWALK_CLI_CMD_TRACE_CONVERT_H
#define NESTWALK_CLI_CMD_TRACE_CONVERT_H

/* An action of nestwalk trace in a file of its own; argv[0] is "convert". */
int nw_cmd_trace_convert(int argc, char **argv);

#endif
