/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NESTWALK_CLI_CMD_TRACE_SYNTH_H
#define NESTWALK_CLI_CMD_TRACE_SYNTH_H

/* An action of nestwalk trace in a file of its own; argv[0] is "synth". */
int nw_cmd_trace_synth(int argc, char **argv);

#endif
