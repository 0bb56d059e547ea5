/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/git-version.h"
#include "sim/sweep_run.h"

const char nw_sweep_version[] = NW_GIT_VERSION;
