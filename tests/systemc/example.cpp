// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <nestwalk/systemc/mmu.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

struct ram : sc_core::sc_module {
  tlm_utils::simple_target_socket<ram> socket{"socket"};
  unsigned words[0x10000] = {};
  explicit ram(sc_core::sc_module_name name) : sc_module(name) {
    socket.register_b_transport(this, &ram::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) {
    *reinterpret_cast<unsigned *>(payload.get_data_ptr()) = words[payload.get_address() / 4];
    delay += sc_core::sc_time(60, sc_core::SC_NS);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

struct cpu : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<cpu> socket{"socket"};
  SC_CTOR(cpu) { SC_THREAD(run); }
  void read(unsigned va, unsigned word = 0) {
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay;
    payload.set_read();
    payload.set_address(va);
    payload.set_data_ptr(reinterpret_cast<unsigned char *>(&word));
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    socket->b_transport(payload, delay);
    std::printf("0x%08x: 0x%x, %s, %s\n", va, word, payload.get_response_string().c_str(),
                delay.to_string().c_str());
  }
  void run() { read(0x80000120), read(0x80000124), read(0x90000000); }
};

int sc_main(int, char **) {
  nestwalk::mmu_parameters parameters;
  parameters.mmu.regime = NW_REGIME_ARMV7_SHORT; // the rest is the default
  nestwalk::mmu mmu("mmu", parameters);
  cpu core("core");
  ram memory("memory");
  core.socket.bind(mmu.upstream[0]);
  mmu.downstream.bind(memory.socket);            // the walker reads by this socket, too
  memory.words[(0x4000 + 4 * 0x800) / 4] = 0xc02; // a section: VA 0x80000000 to PA 0, 1 MB
  memory.words[0x120 / 4] = 0x1234;
  mmu.write_register(0, NW_REG_TTBR0, 0x4000);
  mmu.write_register(0, NW_REG_DACR, 1);  // domain 0: as its descriptors say
  mmu.write_register(0, NW_REG_SCTLR, 1); // stage 1 on
  sc_core::sc_start();
  return 0;
}
