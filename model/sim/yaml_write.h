/* SPDX-License-Identifier: Apache-2.0 */
/* Trees back to YAML that reads as the same tree. */
#ifndef NW_SIM_YAML_WRITE_H
#define NW_SIM_YAML_WRITE_H

#include "sim/yaml_tree.h"

/* A file: one key a line, groups indented, lists in brackets. To be freed; NULL: out of memory. */
char *nw_yaml_text(const struct nw_yaml_node *root);

/* A value on one line, as --set takes it. To be freed; NULL: out of memory. */
char *nw_yaml_flow(const struct nw_yaml_node *node);

#endif
