# SPDX-License-Identifier: Apache-2.0
"""An extract of a comparison, small enough to be kept: the queries at the edges of what is mapped
and some others, the machine's answers to them, and of the memory those pieces only that descriptors
are read from. The archive is the same to the last byte for the same contents.
"""
import gzip
import io
import tarfile

from answers import PIECE, pieces_read


def extracts(folder, memory, pieces):
    """Names, addresses and contents of stretches of pieces."""
    (name, base), = memory.items()
    with open(f"{folder}/{name}", "rb") as file:
        while pieces:
            count = 1
            while count < len(pieces) and pieces[count] == pieces[0] + count:
                count += 1
            address = pieces[0] * PIECE
            file.seek(address - base)
            yield f"tables-{address:x}", address, file.read(count * PIECE)
            pieces = pieces[count:]


def archive(path, contents):
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name, data in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def write(path, folder, nestwalk, compared, remark):
    case = f"{folder}/case"
    asked = list(compared.sampled())
    with open(case, "w") as file:
        file.writelines(compared.head(compared.memory))
        file.writelines(asked)
    contents, memory = {}, {}
    for name, address, data in extracts(folder, compared.memory, pieces_read(nestwalk, case)):
        contents[name], memory[name] = data, address
    text = remark + "".join(compared.head(memory)) + "".join(asked)
    archive(path, {"case": text.encode(), **contents})
