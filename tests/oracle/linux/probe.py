# SPDX-License-Identifier: Apache-2.0
"""The machine's own translations: probe.S, planted where a user process was stopped.

The debugger's stub cannot leave user mode, so an exception is planted and stepped: the processor is
then at the kernel's vector, in Supervisor mode, before the kernel has changed a register. Under a
hypervisor the same again leads to its vector, in Hyp mode. No instruction of either is executed.

Fetches are real ones: an SVC is planted at the address, in physical memory, and stepped; whether it
was executed or aborted is seen by the vector where the processor is then.
"""
import struct

from qemu import CPSR, PC, Failure

USER, SUPERVISOR, ABORT, HYP = 0x10, 0x13, 0x17, 0x1A
MODE, THUMB, MASKED = 0x1F, 0x20, 0x1C0
SVC, HVC = 0xEF000000, 0xE1400070

# Entries of probe.S.
REGISTERS, HYP_REGISTERS, TRANSLATE, STAGE1_OFF, IFSR, HYP_IFSR, HYP_HSR, END = range(0, 32, 4)

VECTOR_SVC, VECTOR_PREFETCH_ABORT = 8, 12

# Queries in one go: 6 KB of the stack of the mode, which is 8 KB at least.
ROOM = 768

GUEST_NAMES = ("TTBCR", "TTBR0", "TTBR1", "DACR", "SCTLR", "MAIR0", "MAIR1", "CONTEXTIDR")
HYP_NAMES = ("HCR", "VTCR", "VTTBR")

WRITE, UNPRIVILEGED, BOTH_STAGES = 1, 2, 4

# What a fetch ended in, with the syndrome of that.
FETCHED, STAGE1_ABORT, STAGE2_ABORT = range(3)


class Probe:
    def __init__(self, stub, code, hyp):
        self.stub = stub
        self.hyp = hyp
        self._exception(USER, SVC, SUPERVISOR)
        self.vector = stub.register(PC) - VECTOR_SVC
        if hyp:
            stub.write(self.vector + VECTOR_PREFETCH_ABORT, struct.pack("<I", HVC))
            self._exception(SUPERVISOR, HVC, HYP)
        stub.set_register(CPSR, stub.register(CPSR) | MASKED)
        self.code = stub.register(PC)
        self.buffer = (stub.register(13) - 8 * ROOM) & ~7
        stub.write(self.code, code)
        stub.do(f"Z0,{self.code + END:x},4")

    def _exception(self, before, instruction, after):
        self._expect(before)
        self.stub.write(self.stub.register(PC), struct.pack("<I", instruction))
        self.stub.run("s")
        self._expect(after)

    def _expect(self, mode):
        cpsr = self.stub.register(CPSR)
        if cpsr & (MODE | THUMB) != mode:
            raise Failure(f"CPSR is 0x{cpsr:08x}, expected mode 0x{mode:02x} in ARM state")

    def _run(self, entry, count=0):
        self.stub.set_register(0, self.buffer)
        self.stub.set_register(1, count)
        self.stub.set_register(PC, self.code + entry)
        self.stub.run("c")
        at = self.stub.register(PC)
        if at != self.code + END:
            raise Failure(f"the probe stopped at 0x{at:08x}, expected 0x{self.code + END:08x}")

    def registers(self):
        names = (HYP_NAMES if self.hyp else ()) + GUEST_NAMES
        self._run(HYP_REGISTERS if self.hyp else REGISTERS)
        data = self.stub.read(self.buffer, 8 * len(names))
        return dict(zip(names, struct.unpack(f"<{len(names)}Q", data)))

    def stage1_off(self):
        self._run(STAGE1_OFF)

    def translate(self, queries):
        """PAR for each query, an address of a page with the operation in its low bits."""
        for at in range(0, len(queries), ROOM):
            some = queries[at : at + ROOM]
            self.stub.write(self.buffer, struct.pack(f"<{len(some)}Q", *some))
            self._run(TRANSLATE, len(some))
            yield from struct.unpack(
                f"<{len(some)}Q", self.stub.read(self.buffer, 8 * len(some)))

    def fetch(self, pages, privileged, memory):
        """What a fetch at each of `pages` ends in, and the syndrome. `memory` has their physical
        addresses, where there is RAM to plant an instruction in, else None."""
        self.stub.do("Qqemu.PhyMemMode:1")
        for page in pages:
            yield self._fetch(page, privileged, memory[page])
        self.stub.do("Qqemu.PhyMemMode:0")

    def _fetch(self, page, privileged, memory):
        stub = self.stub
        if memory is not None:
            kept = stub.read(memory, 4)
            stub.write(memory, struct.pack("<I", SVC))
        stub.set_register(CPSR, (SUPERVISOR if privileged else USER) | MASKED)
        stub.set_register(PC, page)
        stub.run("s")
        end = self._fetch_ended()
        if memory is not None:
            stub.write(memory, kept)
        return end

    def _fetch_ended(self):
        at, mode = self.stub.register(PC), self.stub.register(CPSR) & MODE
        if mode == HYP:
            return STAGE2_ABORT, self._syndrome(HYP_HSR)
        ends = {(self.vector + VECTOR_SVC, SUPERVISOR): FETCHED,
                (self.vector + VECTOR_PREFETCH_ABORT, ABORT): STAGE1_ABORT}
        if (at, mode) not in ends:
            raise Failure(f"a fetch ended at 0x{at:08x} in mode 0x{mode:02x}")
        if self.hyp:
            self.stub.run("s")
        return ends[at, mode], self._syndrome(HYP_IFSR if self.hyp else IFSR)

    def _syndrome(self, entry):
        self._run(entry)
        return self.stub.register(2)
