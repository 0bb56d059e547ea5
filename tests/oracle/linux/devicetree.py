# SPDX-License-Identifier: Apache-2.0
"""Nodes added to /chosen of a flattened device tree (Devicetree Specification 0.3, chapter 5)."""
import struct

BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9
MAGIC, VERSION, COMPATIBLE = 0xD00DFEED, 17, 16


def aligned(data):
    return data + bytes(-len(data) % 4)


def cells(*values):
    return struct.pack(f">{len(values)}I", *values)


def wide(*values):
    return struct.pack(f">{len(values)}Q", *values)


def text(*strings):
    return b"".join(string.encode() + b"\0" for string in strings)


class Tree:
    def __init__(self, blob):
        (magic, _, struct_at, strings_at, reserved_at, _, _, self.cpu, strings, structure
         ) = struct.unpack(">10I", blob[:40])
        if magic != MAGIC:
            raise ValueError(f"found magic 0x{magic:08x} in a device tree, expected 0x{MAGIC:08x}")
        self.structure = blob[struct_at : struct_at + structure]
        self.strings = blob[strings_at : strings_at + strings]
        self.reserved = blob[reserved_at:struct_at]

    def _name(self, string):
        at = (b"\0" + self.strings).find(b"\0" + text(string))
        if at < 0:
            at = len(self.strings)
            self.strings += text(string)
        return at

    def _items(self, content):
        """A dictionary as properties and nodes: its values are bytes, or again dictionaries."""
        data = b""
        for name, value in content.items():
            if isinstance(value, bytes):
                data += cells(PROPERTY, len(value), self._name(name)) + aligned(value)
        for name, value in content.items():
            if isinstance(value, dict):
                data += cells(BEGIN_NODE) + aligned(text(name)) + self._items(value)
                data += cells(END_NODE)
        return data

    def _chosen(self):
        """Where its properties begin and where it ends."""
        at, path, begin = 0, [], None
        while True:
            token, = struct.unpack_from(">I", self.structure, at)
            at += 4
            if token == BEGIN_NODE:
                name = self.structure[at : self.structure.index(b"\0", at)].decode()
                at += len(aligned(text(name)))
                path.append(name)
                if path == ["", "chosen"]:
                    begin = at
            elif token == PROPERTY:
                size, _ = struct.unpack_from(">2I", self.structure, at)
                at += 8 + (size + 3) // 4 * 4
            elif token == END_NODE:
                if path == ["", "chosen"]:
                    return begin, at - 4
                path.pop()
            elif token != NOP:
                raise ValueError("found no /chosen in the device tree, expected one")

    def add_to_chosen(self, content):
        """Properties come before nodes, so both go where the present properties begin."""
        begin, _ = self._chosen()
        properties = {name: value for name, value in content.items() if isinstance(value, bytes)}
        new = self._items(properties)
        self.structure = self.structure[:begin] + new + self.structure[begin:]
        _, end = self._chosen()
        nodes = {name: value for name, value in content.items() if isinstance(value, dict)}
        self.structure = self.structure[:end] + self._items(nodes) + self.structure[end:]

    def blob(self):
        reserved_at = 40
        struct_at = reserved_at + len(self.reserved)
        strings_at = struct_at + len(self.structure)
        total = strings_at + len(self.strings)
        head = struct.pack(">10I", MAGIC, total, struct_at, strings_at, reserved_at, VERSION,
                           COMPATIBLE, self.cpu, len(self.strings), len(self.structure))
        return head + self.reserved + self.structure + self.strings
