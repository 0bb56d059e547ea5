/* SPDX-License-Identifier: Apache-2.0 */
#include "system/architecture.h"

const struct nw_guest_layout nw_guest_layouts[NW_GUEST_FORMATS] = {
    /* Linux's 3/1 split; the linear map leaves room for the vector page with the kernel's helpers. */
    [NW_GUEST_SHORT] = {.software = &nw_software_armv7,
                        .kind = NW_REGIME_ARMV7_SHORT,
                        .user_end = UINT64_C(0xc0000000),
                        .tables_end = UINT64_C(0xc0000000),
                        .linear_base = UINT64_C(0xc0000000),
                        .linear_bytes = UINT64_C(0x3fe00000),
                        .helper_page = UINT64_C(0xffff0000),
                        .root_bytes = 16384,
                        .kernel_part = 3 * 4096,
                        .physical_bits = 32,
                        .block_log2 = {20},
                        .large_log2 = {20, 16}},
    [NW_GUEST_LPAE] = {.software = &nw_software_armv7,
                       .kind = NW_REGIME_ARMV7_LPAE,
                       .user_end = UINT64_C(0xc0000000),
                       .tables_end = UINT64_C(0xc0000000),
                       .linear_base = UINT64_C(0xc0000000),
                       .linear_bytes = UINT64_C(0x3fe00000),
                       .helper_page = UINT64_C(0xffff0000),
                       .root_bytes = 4096,
                       .physical_bits = 40,
                       .block_log2 = {21},
                       .large_log2 = {21}},
    /* Linux's Documentation/arch/x86/x86_64/mm.rst; the helper page is the vsyscall page. */
    [NW_GUEST_4_LEVEL] = {.software = &nw_software_x86_64,
                          .kind = NW_REGIME_X86_64,
                          .user_end = UINT64_C(0x00007ffffffff000),
                          .tables_end = UINT64_C(1) << 47,
                          .linear_base = UINT64_C(0xffff888000000000),
                          .linear_bytes = UINT64_C(1) << 46,
                          .helper_page = UINT64_C(0xffffffffff600000),
                          .root_bytes = 4096,
                          .kernel_part = 2048,
                          .block_log2 = {30, 21},
                          .large_log2 = {21}},
    [NW_GUEST_5_LEVEL] = {.software = &nw_software_x86_64,
                          .kind = NW_REGIME_X86_64,
                          .user_end = UINT64_C(0x00fffffffffff000),
                          .tables_end = UINT64_C(1) << 56,
                          .linear_base = UINT64_C(0xff11000000000000),
                          .linear_bytes = UINT64_C(1) << 52,
                          .helper_page = UINT64_C(0xffffffffff600000),
                          .root_bytes = 4096,
                          .kernel_part = 2048,
                          .block_log2 = {30, 21},
                          .large_log2 = {21}},
};

unsigned nw_guest_physical_bits(const struct nw_machine_config *config) {
  unsigned bits = nw_guest_layouts[config->format].physical_bits;
  unsigned machine = config->mmu.capabilities.maxphyaddr;
  if (bits != 0)
    return bits;
  return machine != 0 ? machine : nw_default_capabilities.maxphyaddr;
}
