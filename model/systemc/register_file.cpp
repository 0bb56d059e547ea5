/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/register_file.h"

#include <nestwalk/systemc/registers.h>

namespace nestwalk::detail {

using tlm::tlm_generic_payload;
using tlm::tlm_response_status;

namespace {

constexpr unsigned register_size = 8;

enum class group { control, maintenance, fault, identity };

/* What stands where in a context's block. */
struct range {
  std::uint64_t first; /* offset of the first register */
  unsigned count;
  group kind;
};

constexpr unsigned fault_registers =
    (registers::fault_stream - registers::fault_status) / register_size + 1;

constexpr range ranges[] = {
    {registers::control, NW_REGISTERS, group::control},
    {registers::maintenance, NW_ARMV7_TLBIS, group::maintenance},
    {registers::fault_status, fault_registers, group::fault},
    {registers::identity, 1, group::identity},
};

std::uint64_t status_word(const fault_record &record) {
  const nw_fault &fault = record.fault;

  if (fault.type == NW_FAULT_NONE)
    return 0;
  return registers::fault_valid | (record.overflow ? registers::fault_overflow : 0) |
         (fault.s1walk ? registers::fault_s1walk : 0) |
         (record.privileged ? registers::fault_privileged : 0) |
         std::uint64_t{fault.type} << registers::fault_type_shift |
         std::uint64_t{fault.stage} << registers::fault_stage_shift |
         std::uint64_t{fault.level} << registers::fault_level_shift |
         std::uint64_t{fault.access} << registers::fault_access_shift;
}

std::uint64_t syndrome_word(const fault_record &record, nw_syndrome_kind kind, unsigned word) {
  bool recorded = record.fault.type != NW_FAULT_NONE && record.syndrome.kind == kind;

  return recorded ? record.syndrome.value[word] : 0;
}

std::uint64_t stream_word(const fault_record &record) {
  return std::uint64_t{record.stream} | std::uint64_t{record.asid} << 32 |
         std::uint64_t{record.vmid} << 40 | std::uint64_t{record.port} << 48;
}

std::uint64_t fault_word(const fault_record &record, std::uint64_t offset) {
  switch (offset) {
  case registers::fault_status:
    return status_word(record);
  case registers::fault_dfsr:
    return syndrome_word(record, NW_SYNDROME_DFSR, 0);
  case registers::fault_ifsr:
    return syndrome_word(record, NW_SYNDROME_IFSR, 0);
  case registers::fault_hsr:
    return syndrome_word(record, NW_SYNDROME_HSR, 0);
  case registers::fault_hpfar:
    return syndrome_word(record, NW_SYNDROME_HSR, 1);
  case registers::fault_far:
    return record.syndrome.far;
  case registers::fault_va:
    return record.fault.va;
  case registers::fault_ipa:
    return record.fault.ipa;
  default:
    return stream_word(record);
  }
}

std::uint64_t identity_word(const mmu_parameters &parameters) {
  return std::uint64_t{parameters.contexts} | std::uint64_t{parameters.ports} << 12 |
         static_cast<std::uint64_t>(parameters.mmu.regime) << 24;
}

/* A little-endian number of at most 8 bytes. */
std::uint64_t load(const unsigned char *data, unsigned size) {
  std::uint64_t value = 0;

  for (unsigned i = 0; i < size; i++)
    value |= std::uint64_t{data[i]} << 8 * i;
  return value;
}

void store(unsigned char *data, unsigned size, std::uint64_t value) {
  for (unsigned i = 0; i < size; i++)
    data[i] = static_cast<unsigned char>(value >> 8 * i);
}

} // namespace

struct register_file::place {
  unsigned context;
  unsigned number; /* within its group */
  group kind;
  std::uint64_t offset; /* of the register in its block */
};

bool register_file::find(std::uint64_t address, place &found) const {
  const std::uint64_t context = address / registers::context_size;
  const std::uint64_t offset = address % registers::context_size / register_size * register_size;

  if (context >= mmu_.parameters().contexts)
    return false;
  for (const range &r : ranges) {
    if (offset >= r.first && offset < r.first + r.count * register_size) {
      found = {static_cast<unsigned>(context),
               static_cast<unsigned>((offset - r.first) / register_size), r.kind, offset};
      return true;
    }
  }
  return false;
}

std::uint64_t register_file::read(const place &at) const {
  switch (at.kind) {
  case group::control:
    return mmu_.read_register(at.context, static_cast<nw_register>(at.number));
  case group::maintenance:
    return 0;
  case group::fault:
    return fault_word(mmu_.fault(at.context), at.offset);
  case group::identity:
    return identity_word(mmu_.parameters());
  }
  return 0;
}

tlm_response_status register_file::write(const place &at, std::uint64_t value, unsigned byte) {
  switch (at.kind) {
  case group::control:
    return mmu_.write_register(at.context, static_cast<nw_register>(at.number), value) ==
                   NW_REGISTER_WRITTEN
               ? tlm::TLM_OK_RESPONSE
               : tlm::TLM_COMMAND_ERROR_RESPONSE;
  case group::maintenance:
    if (byte == 0)
      mmu_.invalidate(at.context, static_cast<nw_tlbi>(at.number), value);
    return tlm::TLM_OK_RESPONSE;
  case group::fault:
    if (at.offset != registers::fault_status)
      return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (byte == 0 && (value & registers::fault_valid))
      mmu_.clear_fault(at.context);
    return tlm::TLM_OK_RESPONSE;
  case group::identity:
    return tlm::TLM_COMMAND_ERROR_RESPONSE;
  }
  return tlm::TLM_GENERIC_ERROR_RESPONSE;
}

tlm_response_status register_file::check(const tlm_generic_payload &payload, place &found) const {
  const unsigned length = payload.get_data_length();
  const unsigned width = payload.get_streaming_width();

  if (!find(payload.get_address(), found))
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() != nullptr)
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if ((length != 4 && length != 8) || payload.get_address() % length != 0 ||
      (width != 0 && width < length))
    return tlm::TLM_BURST_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

tlm_response_status register_file::access(tlm_generic_payload &payload) {
  place at = {};
  const tlm_response_status status = check(payload, at);

  if (status != tlm::TLM_OK_RESPONSE || payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return status;
  const unsigned length = payload.get_data_length();
  const unsigned byte = payload.get_address() % register_size;
  const std::uint64_t now = read(at);
  if (payload.is_read()) {
    store(payload.get_data_ptr(), length, now >> 8 * byte);
    return status;
  }
  std::uint64_t value = load(payload.get_data_ptr(), length);
  if (length == 4) {
    /* the half that is not written: what it was, which only a control register has */
    const std::uint64_t kept = at.kind == group::control ? now : 0;
    value = (kept & ~(std::uint64_t{0xffffffff} << 8 * byte)) | value << 8 * byte;
  }
  return write(at, value, byte);
}

void register_file::b_transport(tlm_generic_payload &payload, sc_core::sc_time &) {
  payload.set_response_status(access(payload));
  payload.set_dmi_allowed(false);
}

tlm::tlm_sync_enum register_file::nb_transport_fw(tlm_generic_payload &payload,
                                                  tlm::tlm_phase &phase, sc_core::sc_time &delay) {
  if (phase != tlm::BEGIN_REQ)
    return tlm::TLM_ACCEPTED;
  b_transport(payload, delay);
  return tlm::TLM_COMPLETED;
}

bool register_file::get_direct_mem_ptr(tlm_generic_payload &, tlm::tlm_dmi &dmi) {
  dmi.init();
  dmi.allow_read_write();
  return false;
}

/* Reads any bytes, as debuggers do; writing would have effects that a debugger must not have. */
unsigned register_file::transport_dbg(tlm_generic_payload &payload) {
  unsigned done = 0;
  place at = {};

  if (!payload.is_read())
    return 0;
  while (done < payload.get_data_length() && find(payload.get_address() + done, at)) {
    const std::uint64_t byte = (payload.get_address() + done) % register_size;
    payload.get_data_ptr()[done++] = static_cast<unsigned char>(read(at) >> 8 * byte);
  }
  return done;
}

} // namespace nestwalk::detail
