// SPDX-License-Identifier: Apache-2.0
#include "lockstep/driver.h"

namespace lockstep {

namespace {
constexpr size_t READS_KEPT = 32;
}

Driver::Driver(const Scenario &scenario)
    : scenario_(scenario), memory_(scenario.memory), noise_{scenario.operations.size()} {
  for (size_t i = 0; i < scenario.operations.size(); i++) {
    if (scenario.operations[i].kind == Operation::Kind::Request) {
      requests_.push_back(i);
    } else {
      controls_.push_back(i);
      control_after_.push_back(requests_.size());
    }
  }
}

bool Driver::finished() const {
  return next_request_ == requests_.size() && next_control_ == controls_.size() && !in_hand_;
}

// What is kept of one descriptor format means nothing in the other: software that switches
// TTBCR.EAE sees to it that nothing is translated until the TLBs have been invalidated.
bool Driver::switches_format(const Operation &operation) const {
  return operation.kind == Operation::Kind::Register && operation.select == NW_REG_TTBCR &&
         (operation.data >> 31 & 1) != long_descriptors_;
}

const Operation *Driver::due_control() const {
  if (next_control_ == controls_.size() || control_after_[next_control_] > next_request_)
    return nullptr;
  const Operation &operation = scenario_.operations[controls_[next_control_]];
  if (now_ < control_time_ + operation.delay || (switches_format(operation) && in_hand_))
    return nullptr;
  return &operation;
}

const Operation *Driver::due_request() const {
  if (registers_written_ < NW_REGISTERS || next_request_ == requests_.size() || flush_owed_)
    return nullptr;
  bool control_is_next =
      next_control_ < controls_.size() && control_after_[next_control_] <= next_request_;
  if (control_is_next && switches_format(scenario_.operations[controls_[next_control_]]))
    return nullptr;
  const Operation &operation = scenario_.operations[requests_[next_request_]];
  return now_ >= request_time_ + operation.delay ? &operation : nullptr;
}

// -- inputs --------------------------------------------------------------------------------------

// A descriptor that was read lately becomes another one that was, or one for Device memory, or loses
// or gets a bit: often one that makes a table a page, or a page one of another size, or changes its
// reach or access flag.
void Driver::poke(uint64_t chance) {
  static const unsigned telling[] = {0, 1, 1, 10, 11, 11, 17, 18};
  constexpr uint64_t mem_attr = 0x3c;
  if (reads_.empty())
    return;
  auto [address, size] = reads_[chance % reads_.size()];
  auto [from, from_size] = reads_[(chance >> 16) % reads_.size()];
  uint64_t data = memory_.read(address, size).data;
  uint64_t any = chance >> 32;
  switch (chance >> 8 & 3) {
  case 0:
    data = memory_.read(from, from_size).data;
    break;
  case 1:
    data = (data & ~mem_attr) | (any & 4);
    break;
  case 2:
    data ^= 1ull << telling[any & 7];
    break;
  default:
    data ^= 1ull << any % (8 * size);
  }
  memory_.write(address, size, data);
}

void Driver::drive_control_with(bool maintenance, unsigned select, uint64_t data) {
  in_.ctrl_valid = true;
  in_.ctrl_maintenance = maintenance;
  in_.ctrl_select = static_cast<uint8_t>(select);
  in_.ctrl_data = data;
}

void Driver::drive_control() {
  if (registers_written_ < NW_REGISTERS)
    return drive_control_with(false, registers_written_, scenario_.registers[registers_written_]);
  if (flush_owed_)
    return drive_control_with(true, NW_TLBI_ALLNSNH, 0);
  const Operation *operation = due_control();
  while (operation && operation->kind == Operation::Kind::Poke) {
    poke(operation->data);
    next_control_++;
    control_time_ = now_;
    operation = due_control();
  }
  if (operation)
    drive_control_with(operation->kind == Operation::Kind::Maintenance, operation->select,
                       operation->data);
}

void Driver::drive_request() {
  const Operation *operation = due_request();
  in_.req_valid = operation != nullptr;
  in_.req_tag = static_cast<uint8_t>(next_request_);
  if (operation) {
    in_.req_va = static_cast<uint32_t>(operation->data);
    in_.req_access = operation->select;
    in_.req_privileged = operation->privileged;
  }
  in_.rsp_ready = hold_ == 0;
}

void Driver::drive_memory() {
  in_.mem_req_ready = stalls_ == 0;
  in_.mem_rsp_valid = latency_ == 1;
  if (in_.mem_rsp_valid) {
    in_.mem_rsp_data = owed_.data;
    in_.mem_rsp_error = owed_.error;
  }
}

const nw_inputs &Driver::next() {
  uint64_t noise = roll(&noise_);
  in_ = nw_inputs{};
  in_.ctrl_data = in_.mem_rsp_data = noise;
  in_.ctrl_select = noise >> 8 & 15;
  in_.ctrl_maintenance = noise >> 12 & 1;
  in_.req_va = static_cast<uint32_t>(noise >> 13);
  in_.req_access = static_cast<uint8_t>((noise >> 45) % 3);
  in_.req_privileged = noise >> 53 & 1;
  in_.mem_rsp_error = noise >> 54 & 1;
  drive_control();
  drive_request();
  drive_memory();
  return in_;
}

// -- outputs -------------------------------------------------------------------------------------

void Driver::plan_read() {
  const MemoryManners &m = scenario_.manners;
  stalls_ = percent(&manners_, m.stall_percent) ? 1 + below(&manners_, m.most_stalls) : 0;
}

void Driver::answer_read(const nw_outputs &out) {
  const MemoryManners &m = scenario_.manners;
  unsigned size = out.mem_req_size_o ? 8 : 4;
  owed_ = memory_.read(out.mem_req_addr_o, size);
  owed_.error = owed_.error || below(&manners_, 1000) < m.error_permille;
  if (owed_.error)
    owed_.data = roll(&manners_);
  latency_ = 1 + below(&manners_, m.most_latency);
  if (reads_.size() == READS_KEPT)
    reads_.erase(reads_.begin());
  reads_.emplace_back(out.mem_req_addr_o, size);
  plan_read();
}

void Driver::control_accepted() {
  bool first_values = registers_written_ < NW_REGISTERS;
  if (!in_.ctrl_maintenance && in_.ctrl_select == NW_REG_TTBCR) {
    bool now_long = in_.ctrl_data >> 31 & 1;
    flush_owed_ = !first_values && now_long != long_descriptors_;
    long_descriptors_ = now_long;
  } else if (flush_owed_) {
    flush_owed_ = false;
    return;
  }
  if (first_values)
    registers_written_++;
  else
    next_control_++;
  control_time_ = now_;
}

void Driver::learn(const nw_outputs &out) {
  if (latency_ > 0 && (latency_ > 1 || out.mem_rsp_ready_o))
    latency_--;
  if (out.mem_req_valid_o && in_.mem_req_ready)
    answer_read(out);
  else if (out.mem_req_valid_o)
    stalls_--;
  if (in_.ctrl_valid && out.ctrl_ready_o)
    control_accepted();
  if (out.rsp_valid_o && in_.rsp_ready)
    in_hand_ = false;
  else if (out.rsp_valid_o)
    hold_--;
  if (in_.req_valid && out.req_ready_o) {
    const Operation &operation = scenario_.operations[requests_[next_request_]];
    accepted_ = static_cast<int>(next_request_++);
    in_hand_ = true;
    request_time_ = control_time_ = now_;
    hold_ = operation.hold;
    manners_.state = operation.seed;
    plan_read();
  }
  now_++;
}

} // namespace lockstep
