"""The probe: a static program without a C library that works off a table of system calls, built here byte by byte.

It is all that the preflight's image holds, so the preflight needs no base image and trusts nobody's files. The machine
code is sandbox/probe/x86_64.s; this module puts the table and its strings behind it as one ELF file. What the calls
returned is read back from the same bytes, written by the program to a file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from harness.resources import data_dir

_CODE_ADDRESS = 0x400000
_TABLE_ADDRESS = 0x500000
_CODE_OFFSET = 0x1000
_TABLE_OFFSET = 0x2000
_ENTRY = struct.Struct("<10Q")
_EM_X86_64 = 62


class Operation(IntEnum):
    """What the program does with an entry; the numbers are those of x86_64.s."""

    CALL = 0
    IN_CHILD = 1
    THROUGH_GATE_32 = 2
    FORKS = 3
    END = 4
    TOUCH = 5


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes beside the table: a string for a call, or room for an answer. ``address`` is where the program has it."""

    offset: int
    size: int

    @property
    def address(self) -> int:
        return _TABLE_ADDRESS + self.offset


@dataclass(frozen=True, slots=True)
class Returned:
    """One entry after the run: ``result`` as a signed number, and how many children FORKS got."""

    result: int
    count: int


@dataclass(slots=True)
class Program:
    """A table that grows. Room for ``entries`` is set aside at its start."""

    entries: int = 1024
    _calls: list[tuple[int, ...]] = field(default_factory=list)
    _data: bytearray = field(default_factory=bytearray)

    def add(self, number: int, *arguments: int, operation: Operation = Operation.CALL, count: int = 0) -> int:
        """Append one entry and return its index. Negative arguments are taken as the machine takes them."""
        six = [value & (2**64 - 1) for value in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
        self._calls.append((int(operation), number, *six, 0, count))
        if len(self._calls) >= self.entries:
            raise ValueError("the probe's table is full")
        return len(self._calls) - 1

    def data(self, content: bytes) -> Buffer:
        """Bytes for a call to read."""
        return self._room(content)

    def text(self, content: str) -> int:
        """The address of a string that ends with NUL."""
        return self._room(content.encode() + b"\0").address

    def room(self, size: int) -> Buffer:
        """Zeroed bytes for a call to fill."""
        return self._room(bytes(size))

    @property
    def address(self) -> int:
        """Where the program has its table; everything that it wrote down starts here."""
        return _TABLE_ADDRESS

    @property
    def size(self) -> int:
        """Bytes of table and buffers as they are now."""
        return self.entries * _ENTRY.size + len(self._data)

    def elf(self) -> bytes:
        """The program as an executable file for x86-64."""
        code = bytes.fromhex((data_dir("sandbox") / "probe" / "x86_64.hex").read_text("ascii"))
        table = b"".join(_ENTRY.pack(*call) for call in self._calls) + _ENTRY.pack(int(Operation.END), *[0] * 9)
        image = table.ljust(self.entries * _ENTRY.size, b"\0") + bytes(self._data)
        header = struct.pack(
            "<16sHHIQQQIHHHHHH",
            b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 2, _EM_X86_64, 1, _CODE_ADDRESS + _CODE_OFFSET, 64, 0, 0,
            64, 56, 2, 0, 0, 0,
        )  # fmt: skip
        segments = _segment(5, _CODE_OFFSET, _CODE_ADDRESS + _CODE_OFFSET, len(code))
        segments += _segment(6, _TABLE_OFFSET, _TABLE_ADDRESS, len(image))
        return (header + segments).ljust(_CODE_OFFSET, b"\0") + code.ljust(_TABLE_OFFSET - _CODE_OFFSET, b"\0") + image

    def returned(self, written: bytes) -> list[Returned]:
        """What the program wrote down, entry by entry. Raises ValueError when it is not of this program."""
        if len(written) != self.size:
            raise ValueError("the probe wrote another number of bytes")
        found = []
        for index, call in enumerate(self._calls):
            entry = _ENTRY.unpack_from(written, index * _ENTRY.size)
            if entry[:8] != call[:8]:
                raise ValueError("the probe wrote another table")
            found.append(Returned(entry[8] - 2**64 if entry[8] >= 2**63 else entry[8], entry[9]))
        return found

    def content(self, written: bytes, buffer: Buffer) -> bytes:
        """A buffer's bytes in what the program wrote down."""
        return written[buffer.offset : buffer.offset + buffer.size]

    def _room(self, content: bytes) -> Buffer:
        buffer = Buffer(self.size, len(content))
        self._data += content
        self._data += bytes(-len(self._data) % 8)
        return buffer


def _segment(flags: int, offset: int, address: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", 1, flags, offset, address, address, size, size, 0x1000)
