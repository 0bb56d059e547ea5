# SPDX-License-Identifier: Apache-2.0
"""What PAR says, in the words of a case file's answers (DDI 0406C B4.1.112), and the model's
answers to the same queries.

A field that this machine cannot be trusted with is left out: the level of a stage-2 fault on a
stage-1 table read is that of the stage-1 walk; the shareability of memory that is not cacheable is
the descriptor's where stage 2 is off; attributes are computed for long descriptors of stage 1 only.
"""
import re
import subprocess

from probe import FETCHED, STAGE2_ABORT
from qemu import Failure

ACCESSES = ("r priv", "w priv", "r user", "w user")  # by bits[1:0] of an operation
FETCHES = ("x user", "x priv")  # by privilege

FAULT, SUPERSECTION, LONG = 1, 2, 1 << 11

# DDI 0406C tables B3-23 and B3-24.
SHORT_FAULTS = {
    0x05: (1, "translation"), 0x07: (2, "translation"), 0x03: (1, "accessflag"),
    0x06: (2, "accessflag"), 0x09: (1, "domain"), 0x0B: (2, "domain"),
    0x0D: (1, "permission"), 0x0F: (2, "permission"), 0x0C: (1, "extabort"),
    0x0E: (2, "extabort"),
}
LONG_FAULTS = {1: "translation", 2: "accessflag", 3: "permission", 5: "extabort"}

PIECE = 1024  # bytes; the smallest table is a second-level table of short descriptors
DESCRIPTOR = re.compile(r"^# s\d l\d pa=(0x[0-9a-f]+)", re.MULTILINE)

NON_CACHEABLE = 0x44  # as both halves of an attribute; cacheable memory's are above

def fault_answer(par):
    if not par & LONG:
        level, kind = SHORT_FAULTS.get(par >> 1 & 31, (0, f"status:0x{par:x}"))
        return f"fault stage=1 s1walk=0 level={level} type={kind}"
    status, s1walk, stage = par >> 1 & 63, par >> 8 & 1, 1 + (par >> 9 & 1)
    level = "" if s1walk else f" level={status & 3}"
    kind = LONG_FAULTS.get(status >> 2, f"status:0x{status:x}")
    return f"fault stage={stage} s1walk={s1walk}{level} type={kind}"


def fetch_answer(end, syndrome):
    """IFSR has its own place for the bit that tells the formats, and for FS[4]; HSR has S1PTW."""
    if end == FETCHED:
        return "ok"
    if end == STAGE2_ABORT:
        return fault_answer(LONG | (syndrome & 63) << 1 | (syndrome >> 7 & 1) << 8 | 1 << 9)
    if syndrome >> 9 & 1:
        return fault_answer(LONG | (syndrome & 63) << 1)
    return fault_answer((syndrome >> 10 & 1) << 5 | (syndrome & 15) << 1)


def answer(par, long_stage1, both_stages):
    """For the first address of a page."""
    if par & FAULT:
        return fault_answer(par)
    if not par & LONG:
        if par & SUPERSECTION:
            raise Failure(f"PAR 0x{par:x}: a supersection, which has too few bits here")
        return f"ok pa=0x{par & 0xFFFFF000:010x}"
    text = f"ok pa=0x{par & 0xFFFFFFF000:010x}"
    if long_stage1:
        text += f" attr=0x{par >> 56:02x}"
        if both_stages or par >> 56 > NON_CACHEABLE:
            text += f" sh={par >> 7 & 3}"
    return text


def reduced(model, machine):
    """The model's answer with those fields only that the machine's has."""
    names = {word.partition("=")[0] for word in machine.split()}
    words = model.split()
    kept = [word for word in words[1:] if word.partition("=")[0] in names]
    return " ".join(words[:1] + kept)


def model_answers(nestwalk, case):
    """The answers of `nestwalk translate`, a query at a time, without what is for people."""
    command = [nestwalk, "translate", case]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("q "):
                yield line.partition(" -> ")[2].partition(" ; ")[0].rstrip()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def pieces_read(nestwalk, case):
    output = subprocess.run([nestwalk, "translate", "--trace", case], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return sorted({int(address, 16) // PIECE for address in DESCRIPTOR.findall(output)})
