/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/config_architecture.h"

#include <string.h>

#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

struct architecture {
  const char *name;
  const char *formats[2];
  const char *default_of[6][2]; /* path, value */
};

static const struct architecture architectures[] = {
    {"armv7", {"short", "lpae"}, {{"guest.deprivileged", "true"}}},
    {"x86-64",
     {"4-level", "5-level"},
     {{"guest.deprivileged", "false"},
      {"guest.pcids", "6"},        /* Linux: TLB_NR_DYN_ASIDS */
      {"mmu.physical_bits", "40"}, /* as nw_default_capabilities */
      {"mmu.gigabyte_pages", "true"},
      {"hypervisor.stage2", "npt"},
      {"hypervisor.stage2_levels", "4"}}},
};

static const struct architecture *architecture_of(const struct nw_yaml *tree) {
  const char *name = nw_yaml_find(tree, "architecture")->text;
  return &architectures[strcmp(name, architectures[0].name) == 0 ? 0 : 1];
}

static bool is_armv7(const struct nw_yaml *tree) {
  return architecture_of(tree) == &architectures[0];
}

static bool check_format(const struct nw_yaml *tree, struct nw_config_error *error) {
  const struct architecture *architecture = architecture_of(tree);
  const struct nw_yaml_node *format = nw_yaml_find(tree, "format");
  for (size_t i = 0; i < ARRAY(architecture->formats); i++)
    if (strcmp(format->text, architecture->formats[i]) == 0)
      return true;
  return nw_yaml_error(error, &format->place,
                       "format: found '%s', expected '%s' or '%s', the formats of %s", format->text,
                       architecture->formats[0], architecture->formats[1], architecture->name);
}

bool nw_config_fits_architecture(const struct nw_yaml *tree, struct nw_config_error *error) {
  static const char *const of_x86[] = {
      "mmu.physical_bits",        "mmu.gigabyte_pages",   "hypervisor.stage2",
      "hypervisor.stage2_levels", "hypervisor.ept_flags", "guest.pcids",
  };
  if (!check_format(tree, error))
    return false;
  for (size_t i = 0; is_armv7(tree) && i < ARRAY(of_x86); i++) {
    const struct nw_yaml_node *node = nw_yaml_find(tree, of_x86[i]);
    if (node != NULL)
      return nw_yaml_error(error, &node->place, "%s: found on armv7, expected on x86-64 only",
                           of_x86[i]);
  }
  return true;
}

bool nw_config_architecture_defaults(struct nw_yaml *tree, struct nw_config_error *error) {
  const struct architecture *architecture = architecture_of(tree);
  for (size_t i = 0; i < ARRAY(architecture->default_of); i++) {
    const char *const *pair = architecture->default_of[i];
    if (pair[0] != NULL && !nw_yaml_default(tree, pair[0], pair[1], error))
      return false;
  }
  return true;
}

/* A check that fails where `wrong` is set. */
struct check {
  bool wrong;
  const char *path;
  const char *complaint;
};

static bool run_checks(const struct nw_yaml *tree, const struct check *checks, size_t count,
                       struct nw_config_error *error) {
  for (size_t i = 0; i < count; i++) {
    const struct nw_yaml_node *node = nw_yaml_find(tree, checks[i].path);
    if (checks[i].wrong)
      return nw_yaml_error(error, node != NULL ? &node->place : &nw_yaml_root(tree)->place,
                           "%s: %s", checks[i].path, checks[i].complaint);
  }
  return true;
}

/* DDI 0406C has nothing like VMX's page-fault error-code mask and match (SDM vol. 3, 25.2), and neither
 * has AMD's SVM, which intercepts all page faults or none (APM vol. 2, 15.12.15). */
bool nw_config_possible_on_architecture(const struct nw_yaml *tree,
                                        const struct nw_machine_config *config,
                                        struct nw_config_error *error) {
  const struct nw_hypervisor_config *hypervisor = &config->hypervisor;
  bool arm = is_armv7(tree), intel = !arm && hypervisor->stage2 == NW_STAGE2_EPT;
  const struct check checks[] = {
      {hypervisor->pf_filter && arm, "hypervisor.pf_filter",
       "found true, expected false: ARMv7 sends a hypervisor no page faults chosen by what the "
       "table entry says"},
      {hypervisor->pf_filter && !intel, "hypervisor.pf_filter",
       "found true, expected false: AMD's SVM intercepts all page faults or none"},
      {hypervisor->shadow.direct_faults && !hypervisor->pf_filter,
       "hypervisor.shadow.direct_faults",
       "found true, expected false on a machine without hypervisor.pf_filter"},
      {hypervisor->stage2_huge && arm, "hypervisor.stage2_pages",
       "found 1G, expected 4K and 2M only on armv7"},
      {hypervisor->ept_flags && !intel, "hypervisor.ept_flags",
       "found true, expected false with hypervisor.stage2 npt, whose flags are always there"},
      {config->guest.deprivileged && !arm, "guest.deprivileged",
       "found true, expected false: on x86-64 the guest kernel keeps ring 0"},
  };
  return run_checks(tree, checks, ARRAY(checks), error);
}
