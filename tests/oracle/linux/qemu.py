# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that is watched on its serial line and held by its debugger's stub.

Register numbers of the stub: 0 to 15 are r0 to pc, 25 is CPSR. What it writes to memory goes
through the translation of the moment but not through its permissions.
"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import time

PC, CPSR = 15, 25

# The stub takes packets of up to 4096 characters; two of them make a byte.
PIECE = 1920


class Failure(Exception):
    pass


class Stub:
    """The remote protocol of gdb, as much of it as is used here."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(path)
        self.left = b""
        self._settle()

    def _settle(self):
        """The machine stops because somebody has come, which it may also tell by itself."""
        self.ask("?")
        self.socket.settimeout(0.3)
        try:
            while self._answer():
                pass
        except TimeoutError:
            pass
        self.socket.settimeout(120)
        # Single registers are told only to those who have asked for the description of all.
        self.ask("qXfer:features:read:target.xml:0,ffb")

    def _byte(self):
        if not self.left:
            self.left = self.socket.recv(65536)
            if not self.left:
                raise Failure("the machine has gone away")
        byte, self.left = self.left[:1], self.left[1:]
        return byte

    def _answer(self):
        while self._byte() != b"$":
            pass
        while b"#" not in self.left[:-2]:
            more = self.socket.recv(65536)
            if not more:
                raise Failure("the machine has gone away")
            self.left += more
        text, self.left = self.left.split(b"#", 1)
        self.left = self.left[2:]
        self.socket.sendall(b"+")
        return text.decode()

    def ask(self, text):
        packet = text.encode()
        self.socket.sendall(b"$%s#%02x" % (packet, sum(packet) & 0xFF))
        return self._answer()

    def do(self, text):
        answer = self.ask(text)
        if answer != "OK":
            raise Failure(f"'{text[:40]}' was answered '{answer}', expected OK")

    def run(self, text):
        """Continues or steps, until the machine stops again."""
        answer = self.ask(text)
        if not answer.startswith(("T05", "S05")):
            raise Failure(f"'{text}' stopped with '{answer}', expected a trap")

    def monitor(self, command):
        """A command of the machine's monitor that says nothing unless it fails."""
        answer = self.ask("qRcmd," + command.encode().hex())
        text = ""
        while answer.startswith("O") and answer != "OK":
            text += bytes.fromhex(answer[1:]).decode()
            answer = self._answer()
        if answer != "OK" or text:
            raise Failure(f"the monitor answered '{command}' with '{answer}' {text}")

    def save_memory(self, address, size, path):
        self.monitor(f'pmemsave 0x{address:x} 0x{size:x} "{path}"')

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def set_register(self, number, value):
        self.do(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def read(self, address, size):
        data = b""
        while len(data) < size:
            piece = min(PIECE, size - len(data))
            answer = self.ask(f"m{address + len(data):x},{piece:x}")
            if len(answer) != 2 * piece:
                raise Failure(f"memory at 0x{address + len(data):08x} cannot be read: {answer}")
            data += bytes.fromhex(answer)
        return data

    def write(self, address, data):
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            self.do(f"M{address + at:x},{len(piece):x}:{piece.hex()}")

    def run_to(self, address):
        self.do(f"Z0,{address:x},4")
        self.run("c")
        self.do(f"z0,{address:x},4")


class Monitor:
    """The machine's own monitor, as much of its protocol (QMP) as is used here."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw")
        self._next()
        self._ask("qmp_capabilities", {})

    def _next(self):
        line = self.lines.readline()
        if not line:
            raise Failure("the machine has gone away")
        return json.loads(line)

    def _ask(self, name, arguments):
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        answer = self._next()
        while "event" in answer:
            answer = self._next()
        if "return" not in answer:
            raise Failure(f"'{name}' was answered '{answer}'")
        return answer["return"]

    def command(self, line):
        """What a person would be told."""
        return self._ask("human-monitor-command", {"command-line": line})


PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """`with Machine(folder, arguments) as machine`: never outlives its block."""

    def __init__(self, folder, arguments, program):
        self.serial = os.path.join(folder, "serial")
        self.stub_path = os.path.join(folder, "stub")
        self.monitor_path = os.path.join(folder, "monitor")
        self.errors = os.path.join(folder, "errors")
        self.command = [
            program, *arguments, "-nodefaults", "-display", "none", "-monitor", "none",
            "-no-reboot", "-serial", f"file:{self.serial}",
            "-chardev", f"socket,id=stub,path={self.stub_path},server=on,wait=off",
            "-gdb", "chardev:stub", "-qmp", f"unix:{self.monitor_path},server=on,wait=off",
        ]

    def __enter__(self):
        open(self.serial, "wb").close()
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=errors,
                                            preexec_fn=die_with_parent)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def said(self):
        with open(self.serial, errors="replace") as file:
            return file.read()

    def wait_for(self, pattern, seconds):
        """The matches of a compiled pattern on the serial line, once there are any."""
        end = time.monotonic() + seconds
        while not pattern.search(self.said()):
            if self.process.poll() is not None:
                with open(self.errors, errors="replace") as file:
                    raise Failure(f"the machine has ended: {file.read()}")
            if time.monotonic() > end:
                tail = "\n".join(self.said().splitlines()[-8:])
                raise Failure(f"not ready after {seconds} seconds; its last words:\n{tail}")
            time.sleep(0.2)
        return pattern.findall(self.said())

    def monitor(self):
        return Monitor(self.monitor_path)

    def stub(self):
        """The machine stands still from here on."""
        return Stub(self.stub_path)
