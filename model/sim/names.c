/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/names.h"

const char *const nw_mode_names[NW_MODES] = {
    [NW_MODE_NATIVE] = "native",       [NW_MODE_NESTED] = "nested", [NW_MODE_SHADOW] = "shadow",
    [NW_MODE_SELECTIVE] = "selective", [NW_MODE_AGILE] = "agile",
};

const char *const nw_guest_architecture_names[NW_GUEST_FORMATS] = {
    [NW_GUEST_SHORT] = "armv7",
    [NW_GUEST_LPAE] = "armv7",
    [NW_GUEST_4_LEVEL] = "x86-64",
    [NW_GUEST_5_LEVEL] = "x86-64",
};

const char *const nw_exit_cause_names[NW_EXIT_CAUSES] = {
    [NW_EXIT_STAGE2_FAULT] = "stage2_fault",
    [NW_EXIT_PTE_WRITE] = "pte_write",
    [NW_EXIT_ROOT_WRITE] = "root_write",
    [NW_EXIT_TLB_MAINTENANCE] = "tlb_maintenance",
    [NW_EXIT_HIDDEN_FAULT] = "hidden_fault",
    [NW_EXIT_INJECTED_FAULT] = "injected_fault",
    [NW_EXIT_PRIVILEGE_SWITCH] = "privilege_switch",
    [NW_EXIT_MMIO] = "mmio",
    [NW_EXIT_HYPERCALL] = "hypercall",
    [NW_EXIT_MODE_SWITCH] = "mode_switch",
    [NW_EXIT_KSM] = "ksm",
    [NW_EXIT_POLICY] = "policy",
};

const char *const nw_shadow_step_names[NW_SHADOW_STEPS] = {
    [NW_SHADOW_GUEST_WALK] = "guest_walk",
    [NW_SHADOW_GUEST_PERMISSIONS] = "guest_permissions",
    [NW_SHADOW_SLOT] = "slot",
    [NW_SHADOW_HOST_WALK] = "host_walk",
    [NW_SHADOW_HOST_PERMISSIONS] = "host_permissions",
    [NW_SHADOW_ESTABLISH] = "establish",
    [NW_SHADOW_INVALIDATE] = "invalidate",
};

const char *const nw_fault_type_names[NW_FAULT_TYPES] = {
    [NW_FAULT_TRANSLATION] = "translation",
    [NW_FAULT_ACCESS_FLAG] = "accessflag",
    [NW_FAULT_DOMAIN] = "domain",
    [NW_FAULT_PERMISSION] = "permission",
    [NW_FAULT_ADDRESS_SIZE] = "addrsize",
    [NW_FAULT_EXTERNAL_ABORT] = "extabort",
    [NW_FAULT_ALIGNMENT] = "alignment",
    [NW_FAULT_RESERVED_BIT] = "rsvd",
    [NW_FAULT_NONCANONICAL] = "noncanonical",
    [NW_FAULT_MISCONFIG] = "misconfig",
};

const char *const nw_requester_names[NW_REQUESTERS] = {
    [NW_BY_INSTRUCTION] = "instruction",
    [NW_BY_DATA] = "data",
    [NW_BY_WALKER] = "walker",
};
