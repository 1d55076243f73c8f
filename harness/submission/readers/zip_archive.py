"""A strict zip reader. Every byte must be accounted for: local header, name, extra, data, descriptor, next header, …,
central directory, end record, end of file. Whatever two unzip programs could read differently is refused.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from harness.challenge.reading import ReadLimits
from harness.submission.readers.extraction import Names, create_file, write_all
from harness.submission.readers.paths import is_junk, member_path
from harness.submission.readers.refusal import Refusal, quoted
from harness.system import read_at

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_END = struct.Struct("<4s4H2IH")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041  # encrypted, strongly encrypted, masked headers
_DESCRIPTOR_FOLLOWS = 0x0008
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_UNIX = 3
_MAX_DIRECTORY_BYTES = 64 << 20
_BLOCK = 1 << 18
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the central directory, checked. ``start`` and ``end`` bound everything that belongs to it."""

    raw_name: bytes
    path: str
    folder: bool
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    start: int
    data: int = 0
    end: int = 0


def unpack_zip(descriptor: int, bytes_: int, target: Path, limits: ReadLimits) -> list[str]:
    """Unpack an open zip of ``bytes_`` bytes into ``target``; returns the names of ignored junk.

    Raises Refusal (E_ARC_*, E_NAME) and MachineError (I_DISK). Everything but the data is checked before anything is
    written.
    """
    end, count, directory_at, directory_bytes = _end_record(descriptor, bytes_, limits)
    raw = read_at(descriptor, directory_bytes, directory_at)
    members = sorted(_directory(raw, count, limits), key=lambda member: member.start)
    if not members:
        raise Refusal("E_ARC_EMPTY", what="the archive holds nothing")
    _refuse_bombs(members, limits)
    for before, after in pairwise(members):
        if before.start == after.start:
            raise Refusal("E_ARC_OVERLAP", name=quoted(after.path))
    nexts = [*(member.start for member in members[1:]), directory_at]
    placed = [_place(descriptor, member, after, directory_at) for member, after in zip(members, nexts, strict=True)]
    _refuse_gaps(placed, directory_at, end)
    kept = [member for member in placed if not is_junk(member.path)]
    names = Names()
    for member in kept:
        if member.path:
            names.add(member.path, folder=member.folder)
    files = [member for member in kept if not member.folder]
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda member: _extract(descriptor, member, target), files):
            pass
    return sorted(member.path for member in placed if is_junk(member.path) and not member.folder)


def _malformed(what: str) -> NoReturn:
    raise Refusal("E_ARC_MALFORMED", what=what)


def _end_record(descriptor: int, bytes_: int, limits: ReadLimits) -> tuple[int, int, int, int]:
    """Place of the end record, number of members, place and length of the central directory."""
    tail_at = max(0, bytes_ - _END.size - 0xFFFF)
    tail = read_at(descriptor, bytes_ - tail_at, tail_at)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise Refusal("E_ARC_TRUNC", what="its end record is missing")
    _, disk, directory_disk, here, count, length, at, comment = _END.unpack_from(tail, found)
    if tail_at + found + _END.size + comment != bytes_:
        _malformed("bytes after its end record")
    if count == 0xFFFF or count > limits.members:
        raise Refusal("E_ARC_COUNT", what=f"more than {min(limits.members, 0xFFFE)} members")
    if disk or directory_disk or here != count or 0xFFFFFFFF in (length, at):
        _malformed("it is split over several files or uses zip64 without need")
    end = tail_at + found
    if at + length != end or length > _MAX_DIRECTORY_BYTES:
        _malformed("bytes before its first member, or between its directory and its end record")
    return end, count, at, length


def _directory(raw: bytes, count: int, limits: ReadLimits) -> Iterator[Member]:
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(raw) or raw[at : at + 4] != b"PK\x01\x02":
            _malformed("a broken central directory")
        (_, made_by, _, flags, method, _, _, crc, packed, size, name_n, extra_n, note_n, disk, _, external, start) = (
            _CENTRAL.unpack_from(raw, at)
        )
        name_at = at + _CENTRAL.size
        name, extra = raw[name_at : name_at + name_n], raw[name_at + name_n : name_at + name_n + extra_n]
        at = name_at + name_n + extra_n + note_n
        if at > len(raw) or disk:
            _malformed("a broken central directory")
        size, packed, start = _zip64(extra, size, packed, start)
        path = member_path(name, limits)
        member = Member(name, path, name.endswith(b"/") or not path, method, flags, crc, packed, size, start)
        _check_member(member, extra, stat.S_IFMT(external >> 16) if made_by >> 8 == _UNIX else 0)
        yield member
    if at != len(raw):
        _malformed("its directory is longer than its members")


def _check_member(member: Member, extra: bytes, kind: int) -> None:
    shown = quoted(member.path)
    if kind not in (0, stat.S_IFDIR if member.folder else stat.S_IFREG):
        raise Refusal("E_ARC_TYPE", name=shown, what="a symbolic link" if kind == stat.S_IFLNK else "no regular file")
    if member.flags & _ENCRYPTED:
        raise Refusal("E_ARC_METHOD", name=shown, what="encrypted")
    if member.method not in (_STORED, _DEFLATED):
        raise Refusal("E_ARC_METHOD", name=shown, what=f"compressed with method {member.method}")
    if member.folder and (member.size or member.packed > 2):
        raise Refusal("E_ARC_PATH", name=quoted(member.path + "/"))
    if member.method == _STORED and member.size != member.packed:
        _malformed(f"the stored member {shown} has two sizes")
    if any(tag == _UNICODE_PATH and value[5:] != member.raw_name for tag, value in _extras(extra)):
        _malformed(f"{shown} has a second name")


def _zip64(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    values = [size, packed, start]
    wanted = [index for index, value in enumerate(values) if value == 0xFFFFFFFF]
    if not wanted:
        return size, packed, start
    field = next((value for tag, value in _extras(extra) if tag == _ZIP64), b"")
    if len(field) < 8 * len(wanted):
        _malformed("a zip64 size is missing")
    for place, index in enumerate(wanted):
        values[index] = int.from_bytes(field[8 * place : 8 * place + 8], "little")
    return values[0], values[1], values[2]


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        yield tag, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _refuse_bombs(members: list[Member], limits: ReadLimits) -> None:
    total, packed = sum(member.size for member in members), sum(member.packed for member in members)
    if total > limits.inflated_bytes:
        raise Refusal("E_ARC_BOMB", what=f"its members have {total} bytes; {limits.inflated_bytes} are allowed")
    if total > limits.ratio_from_bytes and total > limits.member_ratio * packed:
        raise Refusal("E_ARC_BOMB", what=f"the archive grows from {packed} to {total} bytes")
    for member in members:
        if member.size > limits.ratio_from_bytes and member.size > limits.member_ratio * member.packed:
            what = f"{quoted(member.path)} grows from {member.packed} to {member.size} bytes"
            raise Refusal("E_ARC_BOMB", what=what)


def _place(descriptor: int, member: Member, after: int, directory_at: int) -> Member:
    """Compare the local header with the directory and find where it ends; the next one starts at ``after``."""
    head = read_at(descriptor, _LOCAL.size, member.start) if member.start + _LOCAL.size <= directory_at else b""
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        _malformed(f"{quoted(member.path)} has no header of its own")
    _, _, flags, method, _, _, crc, packed, size, name_n, extra_n = _LOCAL.unpack(head)
    name_and_extra = read_at(descriptor, name_n + extra_n, member.start + _LOCAL.size)
    if name_and_extra[:name_n] != member.raw_name:
        _malformed(f"{quoted(member.path)} has another name in its own header")
    data = member.start + _LOCAL.size + name_n + extra_n
    if 0xFFFFFFFF in (size, packed):
        size, packed, _ = _zip64(name_and_extra[name_n:], size, packed, 0)
    streamed = bool(flags & _DESCRIPTOR_FOLLOWS)
    if flags != member.flags or method != member.method:
        _malformed(f"{quoted(member.path)} has other flags in its own header")
    for own, listed in ((crc, member.crc), (packed, member.packed), (size, member.size)):
        if own != listed and not (streamed and own == 0):
            _malformed(f"{quoted(member.path)} has other sizes in its own header")
    end = data + member.packed
    if end > directory_at:
        raise Refusal("E_ARC_OVERLAP", name=quoted(member.path))
    if streamed:
        end += _descriptor_bytes(descriptor, member, end, after)
    return replace(member, data=data, end=end)


def _descriptor_bytes(descriptor: int, member: Member, at: int, after: int) -> int:
    """Length of the data descriptor at ``at``: with or without signature, with 4- or 8-byte sizes."""
    raw = read_at(descriptor, 24, at)
    fitting = [
        signature + struct.pack(f"<I2{width}", member.crc, member.packed, member.size)
        for signature in (b"PK\x07\x08", b"")
        for width in ("I", "Q")
        if width == "Q" or max(member.packed, member.size) < 1 << 32
    ]
    lengths = [len(wanted) for wanted in fitting if raw.startswith(wanted)]
    if not lengths:
        _malformed(f"{quoted(member.path)} is followed by other sizes than listed")
    return after - at if after - at in lengths else lengths[0]


def _refuse_gaps(members: list[Member], directory_at: int, end: int) -> None:
    if members[0].start != 0:
        _malformed("bytes before its first member")
    for before, after in pairwise(members):
        if after.start < before.end:
            raise Refusal("E_ARC_OVERLAP", name=quoted(after.path))
        if after.start > before.end:
            _malformed(f"bytes between {quoted(before.path)} and {quoted(after.path)}")
    if members[-1].end != directory_at or directory_at > end:
        _malformed("bytes between its last member and its directory")


def _extract(descriptor: int, member: Member, target: Path) -> None:
    out = create_file(target, member.path)
    try:
        if member.method == _STORED:
            size, crc = _copy(descriptor, member, out)
        else:
            size, crc = _inflate(descriptor, member, out)
    finally:
        os.close(out)
    if (size, crc) != (member.size, member.crc):
        raise Refusal("E_ARC_CRC", file=member.path, name=quoted(member.path))


def _copy(descriptor: int, member: Member, out: int) -> tuple[int, int]:
    crc = done = 0
    while done < member.packed:
        block = read_at(descriptor, min(_BLOCK, member.packed - done), member.data + done)
        if not block:
            raise Refusal("E_ARC_TRUNC", what=f"inside {quoted(member.path)}")
        crc = zlib.crc32(block, crc)
        write_all(out, block)
        done += len(block)
    return done, crc


def _inflate(descriptor: int, member: Member, out: int) -> tuple[int, int]:
    """Inflate at most the listed size; one byte more is a lie."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    crc = done = taken = 0
    pending = b""
    while not engine.eof:
        if not pending and taken < member.packed:
            pending = read_at(descriptor, min(_BLOCK, member.packed - taken), member.data + taken)
            taken += len(pending)
        try:
            block = engine.decompress(pending, _BLOCK)
        except zlib.error as error:
            raise Refusal("E_ARC_CRC", file=member.path, name=quoted(member.path)) from error
        if not block and not engine.eof and not engine.unconsumed_tail and taken >= member.packed:
            raise Refusal("E_ARC_CRC", file=member.path, name=quoted(member.path))
        pending = engine.unconsumed_tail
        done += len(block)
        if done > member.size:
            raise Refusal("E_ARC_CRC", file=member.path, name=quoted(member.path))
        crc = zlib.crc32(block, crc)
        write_all(out, block)
    if engine.unused_data or pending or taken != member.packed:
        raise Refusal("E_ARC_CRC", file=member.path, name=quoted(member.path))
    return done, crc
