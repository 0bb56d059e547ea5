/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of the register socket, in bytes. Context c has the 4 KiB from c * 0x1000 on; addresses
 * beyond the last context answer TLM_ADDRESS_ERROR_RESPONSE, and so does what is not named here.
 *
 * All registers are 64 bits wide, little-endian, and take naturally aligned accesses of 4 or 8 bytes
 * (else TLM_BURST_ERROR_RESPONSE) without byte enables (else TLM_BYTE_ENABLE_ERROR_RESPONSE). An
 * access of 4 bytes reaches one half; a write leaves the other half as it was. A 4-byte write to the
 * upper half of a maintenance register does nothing.
 */
#ifndef NESTWALK_SYSTEMC_REGISTERS_H
#define NESTWALK_SYSTEMC_REGISTERS_H

#include <cstdint>

#include <nestwalk/mmu.h>

namespace nestwalk {
namespace registers {

/** Distance between the blocks of two contexts. */
constexpr std::uint64_t context_size = 0x1000;

/** + 8 * enum nw_register: the register, in the architecture's encoding. Read and write. A write
 * that the regime refuses (enum nw_register_status) changes nothing and answers
 * TLM_COMMAND_ERROR_RESPONSE. */
constexpr std::uint64_t control = 0x000;

/** + 8 * enum nw_tlbi: a write performs the operation with the value as its operand and with the
 * VMID of the context. Reads as 0. */
constexpr std::uint64_t maintenance = 0x100;

/** The fault record, read only but for `fault_status`. It is that of the first fault since it was
 * last cleared, and 0 without one. */
constexpr std::uint64_t fault_status =
    0x200;                                   /* see below; writing a 1 to bit 0 clears the record */
constexpr std::uint64_t fault_dfsr = 0x208;  /* a stage-1 fault of a data access, else 0 */
constexpr std::uint64_t fault_ifsr = 0x210;  /* a stage-1 fault of an instruction fetch, else 0 */
constexpr std::uint64_t fault_hsr = 0x218;   /* a stage-2 fault, else 0 */
constexpr std::uint64_t fault_hpfar = 0x220; /* likewise */
constexpr std::uint64_t fault_far = 0x228;   /* DFAR, IFAR, HDFAR or HIFAR: the VA, 32 bits */
constexpr std::uint64_t fault_va = 0x230;    /* address of the first byte not done, all its bits */
constexpr std::uint64_t fault_ipa = 0x238;   /* stage 2: the IPA that failed, else 0 */
constexpr std::uint64_t fault_stream = 0x240; /* 31:0 stream, 39:32 ASID, 47:40 VMID, 55:48 port */

/** Bits of `fault_status`. */
constexpr std::uint64_t fault_valid = 1u << 0;    /* a fault is recorded; the interrupt is raised */
constexpr std::uint64_t fault_overflow = 1u << 1; /* later ones were not */
constexpr std::uint64_t fault_s1walk = 1u << 2;   /* stage 2, on a stage-1 walk's descriptor */
constexpr std::uint64_t fault_privileged = 1u << 3;
constexpr unsigned fault_type_shift = 4;    /* 4 bits: enum nw_fault_type */
constexpr unsigned fault_stage_shift = 8;   /* 2 bits: 1 or 2 */
constexpr unsigned fault_level_shift = 10;  /* 2 bits */
constexpr unsigned fault_access_shift = 12; /* 2 bits: enum nw_access, the original access */

/** What the module is; the same in every context's block, read only. */
constexpr std::uint64_t identity =
    0x300; /* 31:24 enum nw_regime_kind, 23:12 ports, 11:0 contexts */

} // namespace registers
} // namespace nestwalk
#endif
