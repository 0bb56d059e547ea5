# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel for amd64, with four and with five levels, and what the machine itself says of the
tables that it translates with: the monitor's "info tlb" lists every mapping, with the flags of its
last entry, and "gva2gpa" gives the address of any byte.

Rights are derived here from those flags and the control registers (SDM vol. 3, 4.6), so that the model
is compared with what the entries mean and not with another model.
"""
import bisect
import collections
import re
import struct

from answers import model_answers
from qemu import Failure

PAGE, LARGE, HUGE = 1 << 12, 1 << 21, 1 << 30
LEVELS = {PAGE: 1, LARGE: 2, HUGE: 3}
CPUS = {"amd64": "qemu64", "amd64-la57": "max,la57=on"}
RAM_SIZE = {"amd64": 512 << 20, "amd64-la57": 2304 << 20}
CONSOLE = "console=ttyS0 quiet"
# A page of 1 GB is set aside, which the first processor has not.
COMMAND_LINE = {"amd64": CONSOLE, "amd64-la57": f"{CONSOLE} hugepagesz=1G hugepages=1"}
PHYSICAL_BITS = 40  # of this machine's processors, unless they are told otherwise

WRITE_PROTECT = 1 << 16  # CR0
LA57, SMEP, SMAP, PKE = 1 << 12, 1 << 20, 1 << 21, 1 << 22  # CR4
NXE = 1 << 11  # EFER
INITIAL_PKRU = 0x55555554  # Linux, init_pkru_value: data of pages of key 0 alone

MAPPING = re.compile(r"^([0-9a-f]{16}): ([0-9a-f]{16}) ([-X][-G][-P][-D][-A][-C][-T][-U][-W])\r?$",
                     re.MULTILINE)
REGISTER = re.compile(r"\b(CR[034]|EFER)=([0-9a-f]+)")

ACCESSES = tuple(f"{access} {privilege}" for access in "rwx" for privilege in ("priv", "user"))

Mapping = collections.namedtuple("Mapping", "va pa size flags key")

PRESENT_LARGE = 1 << 7  # PS
ADDRESS = 0x000FFFFFFFFFF000


class Amd64System:
    program = "qemu-system-x86_64"

    def __init__(self, name, work):
        self.name, self.work = name, work
        self.ram_size = RAM_SIZE[name]

    def arguments(self, folder):
        """All of memory is a file, which can be looked into as soon as the machine stands still."""
        backend = f"memory-backend-file,id=ram,size={self.ram_size},share=on,mem-path={folder}/memory"
        return ["-M", "pc,memory-backend=ram", "-object", backend, "-cpu", CPUS[self.name],
                "-m", f"{self.ram_size >> 20}", "-kernel", f"{self.work}/amd64",
                "-initrd", f"{self.work}/initramfs", "-append", COMMAND_LINE[self.name]]

    def compare(self, machine, _, folder, nestwalk):
        compared = Amd64Comparison(folder, nestwalk, machine.monitor())
        five = bool(compared.registers["CR4"] & LA57)
        if five != ("la57" in self.name):
            raise Failure(f"CR4 is 0x{compared.registers['CR4']:x}: five levels are "
                          f"{'on' if five else 'off'}")
        compared.ask_all()
        return compared


def read_mappings(monitor):
    mappings = []
    for va, pa, flags in MAPPING.findall(monitor.command("info tlb")):
        size = LARGE if "P" in flags else PAGE
        mappings.append(Mapping(int(va, 16), int(pa, 16), size, flags, 0))
    listed = {mapping.va for mapping in mappings}
    return [huge_if_so(monitor, each, listed) for each in mappings]


def huge_if_so(monitor, mapping, listed):
    """The list tells large pages from small ones, but not 2 MB from 1 GB."""
    beyond = mapping.va + LARGE
    if mapping.size == PAGE or mapping.va % HUGE or mapping.pa % HUGE or beyond in listed:
        return mapping
    found = monitor.command(f"gva2gpa 0x{beyond:x}").strip()
    return mapping._replace(size=HUGE) if found == f"gpa: {mapping.pa + LARGE:#x}" else mapping


def key_of(memory, root, levels, va):
    """The protection key of a page, which the list does not tell: bits 62:59 of its last entry. Linux
    makes memory that may be executed alone with it."""
    for level in range(levels, 0, -1):
        memory.seek((root & ADDRESS) + 8 * (va >> (3 + 9 * level) & 511))
        root, = struct.unpack("<Q", memory.read(8))
        if level == 1 or root & PRESENT_LARGE:
            break
    return root >> 59 & 15


class Amd64Comparison:
    """Each mapping is asked for with every access; the pages beside it must not be there unless
    they are mappings themselves."""

    def __init__(self, folder, nestwalk, monitor):
        self.folder, self.nestwalk, self.monitor = folder, nestwalk, monitor
        self.memory = {"memory": 0}
        self.registers = {name: int(value, 16) for name, value in
                          REGISTER.findall(monitor.command("info registers"))}
        if self.registers["CR4"] & PKE:
            self.registers["PKRU"] = INITIAL_PKRU
        self.mappings = sorted(self._with_key(each) for each in read_mappings(monitor))
        self.starts = [mapping.va for mapping in self.mappings]
        self.queries = []  # access, address, the machine's answer, flags that the access sets
        self.differences = []
        self.model = []

    def levels(self):
        return 5 if self.registers["CR4"] & LA57 else 4

    def _with_key(self, mapping):
        if "PKRU" not in self.registers or "U" not in mapping.flags:
            return mapping
        with open(f"{self.folder}/memory", "rb") as memory:
            return mapping._replace(
                key=key_of(memory, self.registers["CR3"], self.levels(), mapping.va))

    def head(self, memory):
        yield f"format 1\nregime x86-64\nmaxphyaddr {PHYSICAL_BITS}\n"
        for name, address in memory.items():
            yield f"mem {name}@0x{address:x}\n"
        for name in ("CR4", "CR0", "CR3", "EFER", "PKRU"):
            if name in self.registers:
                yield f"reg {name} 0x{self.registers[name]:x}\n"

    # -- what the entries mean --

    def _denied(self, flags, access, user):
        """SDM vol. 3, 4.6.1, with EFLAGS.AC clear."""
        users_page, cr4 = "U" in flags, self.registers["CR4"]
        if access == "x" and "X" in flags and self.registers["EFER"] & NXE:
            return True
        if user:
            return not users_page or (access == "w" and "W" not in flags)
        if users_page and cr4 & (SMEP if access == "x" else SMAP):
            return True
        return access == "w" and "W" not in flags and bool(self.registers["CR0"] & WRITE_PROTECT)

    def _key_denies(self, mapping, access, user):
        """SDM vol. 3, 4.6.2."""
        rights = self.registers.get("PKRU", 0) >> 2 * mapping.key & 3
        heeds_write = user or self.registers["CR0"] & WRITE_PROTECT
        return "U" in mapping.flags and access != "x" and (
            bool(rights & 1) or (access == "w" and bool(rights & 2) and bool(heeds_write)))

    def _fault(self, kind, present, access, user, level=None, key=0):
        told = self.registers["EFER"] & NXE or self.registers["CR4"] & SMEP
        write, fetch = int(access == "w"), int(access == "x" and bool(told))
        code = present | write << 1 | user << 2 | fetch << 4 | key << 5
        at = "" if level is None else f" level={level}"
        return (f"fault stage=1 s1walk=0{at} type={kind} p={present} w={write} u={user} rsvd=0 "
                f"id={fetch} pk={key} syndrome=PF:0x{code:x}")

    def _ask(self, asked, mapping, offset):
        access, user = asked[0], int(asked.endswith("user"))
        va, flags = mapping.va + offset, mapping.flags
        key = int(self._key_denies(mapping, access, user))
        if key or self._denied(flags, access, user):
            fault = self._fault("permission", 1, access, user, LEVELS[mapping.size], key)
            self.queries.append((asked, va, fault, 0))
        else:
            sets = "A" not in flags or (access == "w" and "D" not in flags)
            answer = f"ok pa=0x{mapping.pa + offset:016x} size=0x{mapping.size:x}"
            self.queries.append((asked, va, answer, int(sets)))

    def _is_mapped(self, va):
        at = bisect.bisect_right(self.starts, va) - 1
        return at >= 0 and va < self.mappings[at].va + self.mappings[at].size

    def _ask_beside(self, mapping):
        for va in (mapping.va - PAGE, mapping.va + mapping.size):
            canonical = 0 <= va < 1 << 64 and (va >> 47 in (0, 0x1FFFF) or
                                               self.registers["CR4"] & LA57)
            if canonical and not self._is_mapped(va):
                self.queries.append(("r priv", va, self._fault("translation", 0, "r", 0), 0))

    # -- comparing --

    def ask_all(self):
        for mapping in self.mappings:
            for asked in ACCESSES:
                self._ask(asked, mapping, 0)
            self._ask("r priv", mapping, mapping.size - 1)
            self._ask_beside(mapping)
        case = f"{self.folder}/case"
        with open(case, "w") as file:
            file.writelines(self.head(self.memory))
            file.write("update-check\n")
            file.writelines(f"q {asked} 0x{va:x}\n" for asked, va, _, _ in self.queries)
        self.model = list(model_answers(self.nestwalk, case))
        if len(self.model) != len(self.queries):
            raise Failure(f"{len(self.model)} answers to {len(self.queries)} queries")
        for query, model in zip(self.queries, self.model):
            self._judge(query, model)

    def _judge(self, query, model):
        asked, va, machine, sets = query
        words = model.split()
        updates = sum(word.startswith("upd=") for word in words)
        known = {word.partition("=")[0] for word in machine.split()}
        kept = " ".join(word for word in words if word.partition("=")[0] in known)
        if kept != machine or updates != sets:
            self.differences.append(f"q {asked} 0x{va:x}\n  model   {model}\n"
                                    f"  machine {machine} ({sets} flags to set)\n")

    def report(self, name, boot, total):
        sizes = collections.Counter(mapping.size for mapping in self.mappings)
        text = ", ".join(f"{count} of {size >> 10}K" for size, count in sorted(sizes.items()))
        print(f"{name}: {len(self.mappings)} mappings ({text}), {len(self.queries)} queries "
              f"compared, {len(self.differences)} differences; {boot:.0f} s to boot, "
              f"{total:.0f} s in all")
        print(f"  CR4 is 0x{self.registers['CR4']:x}: "
              f"{self.levels()} levels")
        kinds = collections.Counter(" ".join(word for word in machine.split()
                                             if word.startswith(("ok", "size", "type", "level", "pk=1")))
                                    for _, _, machine, _ in self.queries)
        for what, count in sorted(kinds.items()):
            print(f"  {count} {what}")
        print(f"  {sum(sets for *_, sets in self.queries)} accesses that set flags")

    # -- keeping --

    def sampled(self):
        """Where the kind of mapping changes, and one in so many of the rest. (Linux has a page for
        the stack of each processor in 65536 places.)"""
        chosen, known = set(), set()
        for at, mapping in enumerate(self.mappings):
            before = self.mappings[max(at - 1, 0)]
            edge = mapping.pa not in known and (before.flags != mapping.flags or
                                                before.va + before.size != mapping.va)
            known.add(mapping.pa)
            if edge or at % 197 == 0 or mapping.key or mapping.size == HUGE:
                chosen.update((mapping.va, mapping.va + mapping.size - 1, mapping.va - PAGE,
                               mapping.va + mapping.size))
        for asked, va, machine, _ in self.queries:
            if va in chosen:
                yield f"q {asked} 0x{va:x} -> {machine}\n"
