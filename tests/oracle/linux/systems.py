# SPDX-License-Identifier: Apache-2.0
"""The machines that are looked at: a kernel by itself, or as a guest of Xen with a neighbour.

Xen's guests are domains that it makes from the device tree alone ("dom0less"): the tree of the
machine, as QEMU hands it out, with a node for each guest, whose kernel and initial file system lie
in memory. The guest that is looked at is the second one; its neighbour has the other kernel.
"""
import os
import subprocess

from comparison import compare
from devicetree import Tree, cells, text, wide
from probe import Probe

RAM, RAM_SIZE = 0x40000000, {False: 256 << 20, True: 512 << 20}
GUEST_KILOBYTES = (129 << 10) + 236  # no multiple of 2 MB, so that stage 2 has small pages as well
KERNELS = ("armmp", "armmp-lpae")
SYSTEMS = KERNELS + tuple(f"xen-{kernel}" for kernel in KERNELS)
CONSOLE = "console=ttyAMA0 quiet"

# Where the neighbour's and the guest's kernel lie, each followed by the initial file system.
GUEST_FILES = (0x50000000, 0x52000000)
FILE_SYSTEM = 0x1000000


class System:
    program = "qemu-system-aarch64"

    def __init__(self, name, work):
        self.kernel = name.removeprefix("xen-")
        self.hypervisor = name != self.kernel
        self.work = work
        self.ram_size = RAM_SIZE[self.hypervisor]
        self.regime = "armv7-lpae" if self.kernel.endswith("lpae") else "armv7-short"
        if self.hypervisor:
            self.regime += "+s2"

    def arguments(self, folder):
        option = ",virtualization=on" if self.hypervisor else ""
        machine = ["-M", f"virt{option}", "-cpu", "cortex-a15", "-m", f"{self.ram_size >> 20}"]
        if self.hypervisor:
            return machine + self._hypervisor(folder, machine)
        return machine + ["-kernel", f"{self.work}/{self.kernel}",
                          "-initrd", f"{self.work}/initramfs", "-append", CONSOLE]

    def compare(self, _, stub, folder, nestwalk):
        stub.save_memory(RAM, self.ram_size, f"{folder}/memory")
        with open(f"{self.work}/probe.bin", "rb") as code:
            probe = Probe(stub, code.read(), self.hypervisor)
        return compare(folder, nestwalk, self.regime, {"memory": RAM}, probe)

    def _hypervisor(self, folder, machine):
        blob = f"{folder}/tree"
        machine = [machine[0], f"{machine[1]},dumpdtb={blob}", *machine[2:]]
        subprocess.run(["qemu-system-aarch64", *machine, "-nodefaults", "-display", "none"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(blob, "rb") as file:
            tree = Tree(file.read())
        neighbour = KERNELS[1 - KERNELS.index(self.kernel)]
        arguments = ["-kernel", f"{self.work}/xen", "-dtb", blob]
        content = {"xen,xen-bootargs": text("console=dtuart dtuart=/pl011@9000000"),
                   "#address-cells": cells(1), "#size-cells": cells(1)}
        guests = zip((neighbour, self.kernel), (f"{CONSOLE} -- idle", CONSOLE), GUEST_FILES)
        for number, (kernel, line, address) in enumerate(guests, 1):
            kernel = f"{self.work}/{kernel}"
            content[f"domU{number}"] = self._guest(kernel, line, address)
            for path, at in ((kernel, address), (f"{self.work}/initramfs", address + FILE_SYSTEM)):
                arguments += ["-device", f"loader,file={path},addr=0x{at:x},force-raw=on"]
        tree.add_to_chosen(content)
        with open(blob, "wb") as file:
            file.write(tree.blob())
        return arguments

    def _guest(self, kernel, line, address):
        def module(kind, at, path):
            return {"compatible": text(f"multiboot,{kind}", "multiboot,module"),
                    "reg": cells(at, os.path.getsize(path))}

        file_system = address + FILE_SYSTEM
        return {
            "compatible": text("xen,domain"),
            "#address-cells": cells(1),
            "#size-cells": cells(1),
            "memory": wide(GUEST_KILOBYTES),
            "cpus": cells(1),
            "vpl011": b"",
            f"module@{address:x}": {**module("kernel", address, kernel), "bootargs": text(line)},
            f"module@{file_system:x}": module("ramdisk", file_system, f"{self.work}/initramfs"),
        }
