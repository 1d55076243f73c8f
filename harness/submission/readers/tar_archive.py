"""A strict tar reader: plain or gzipped, one pass, regular files and folders only.

ustar and GNU headers, pax records and GNU long names are read; links, devices and sparse members are refused, and so
is a header that says one thing twice.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from harness.challenge.reading import ReadLimits
from harness.submission.readers.extraction import Names, create_file, write_all
from harness.submission.readers.paths import is_junk, member_path
from harness.submission.readers.refusal import Refusal, quoted
from harness.system import read_at

GZIP_MAGIC = b"\x1f\x8b"
MAGIC_AT, MAGIC = 257, b"ustar"
_BLOCK = 512
_READ = 1 << 18
_MAX_EXTENDED_BYTES = 64 << 10
_MAX_PADDING_BYTES = 1 << 20
_ZEROS = bytes(_BLOCK)
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"K": "a link with a long name",
}
# What a pax record may say. Times, owners and comments are read past; names and sizes count.
_HARMLESS = ("mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment", "charset", "hdrcharset")
_HARMLESS_PREFIXES = ("SCHILY.", "LIBARCHIVE.", "APPLE.")


def unpack_tar(descriptor: int, bytes_: int, target: Path, limits: ReadLimits, *, gzipped: bool) -> list[str]:
    """Unpack an open tar of ``bytes_`` bytes into ``target``; returns the names of ignored junk.

    Raises Refusal (E_ARC_*, E_NAME) and MachineError (I_DISK). A refusal may leave files in ``target``: the caller
    removes it.
    """
    stream = _Stream(descriptor, bytes_, gzipped, limits)
    names, junk, count = Names(), [], 0
    for member in _members(stream, limits):
        count += 1
        if count > limits.members:
            raise Refusal("E_ARC_COUNT", what=f"more than {limits.members} members")
        if is_junk(member.path):
            stream.skip(member.padded)
            if not member.folder:
                junk.append(member.path)
            continue
        if member.path:
            names.add(member.path, folder=member.folder)
        if not member.folder:
            _extract(stream, member, target)
    if not count:
        raise Refusal("E_ARC_EMPTY", what="the archive holds nothing")
    return sorted(junk)


@dataclass(frozen=True, slots=True)
class _Member:
    path: str
    folder: bool
    bytes: int

    @property
    def padded(self) -> int:
        return -(-self.bytes // _BLOCK) * _BLOCK


@dataclass(slots=True)
class _Overrides:
    """What extended headers say of the next member."""

    path: bytes | None = None
    size: int | None = None
    seen: set[str] = field(default_factory=set)

    def mark(self, kind: str) -> None:
        if kind in self.seen:
            _malformed("two extended headers for one member")
        self.seen.add(kind)


def _malformed(what: str) -> NoReturn:
    raise Refusal("E_ARC_MALFORMED", what=what)


class _Stream:
    """The tar's bytes in order, inflated when gzipped, with the caps on the way."""

    def __init__(self, descriptor: int, bytes_: int, gzipped: bool, limits: ReadLimits) -> None:
        self._descriptor, self._bytes, self._at = descriptor, bytes_, 0
        self._engine = zlib.decompressobj(16 + zlib.MAX_WBITS) if gzipped else None
        self._pending = b""
        self._buffer = b""
        self._given = 0
        self._limits = limits

    def read(self, wanted: int) -> bytes:
        """Exactly ``wanted`` bytes, or fewer at the end."""
        while len(self._buffer) < wanted:
            block = self._more()
            if not block:
                break
            self._buffer += block
        data, self._buffer = self._buffer[:wanted], self._buffer[wanted:]
        return data

    def exactly(self, wanted: int) -> bytes:
        data = self.read(wanted)
        if len(data) < wanted:
            raise Refusal("E_ARC_TRUNC", what="a member is not complete")
        return data

    def skip(self, wanted: int) -> None:
        while wanted > 0:
            wanted -= len(self.exactly(min(wanted, _READ)))

    def expect(self, more: int) -> None:
        """Refuse a member that would exceed the total before any of it is read."""
        if self._given + more > self._limits.inflated_bytes + _READ:
            what = f"a member of {more} bytes; {self._limits.inflated_bytes} are allowed in all"
            raise Refusal("E_ARC_BOMB", what=what)

    def _more(self) -> bytes:
        block = self._packed() if self._engine is None else self._inflated()
        self._given += len(block)
        limits = self._limits
        if self._given > limits.inflated_bytes + _MAX_PADDING_BYTES:
            raise Refusal("E_ARC_BOMB", what=f"it unpacks to more than {limits.inflated_bytes} bytes")
        if self._given > limits.ratio_from_bytes and self._given > limits.member_ratio * self._at:
            raise Refusal("E_ARC_BOMB", what=f"it grows from {self._at} to more than {self._given} bytes")
        return block

    def _packed(self) -> bytes:
        block = read_at(self._descriptor, min(_READ, self._bytes - self._at), self._at)
        self._at += len(block)
        return block

    def _inflated(self) -> bytes:
        engine = self._engine
        assert engine is not None  # only called for gzip
        block = b""
        while not block and not engine.eof:
            if not self._pending:
                self._pending = self._packed()
                if not self._pending:
                    raise Refusal("E_ARC_TRUNC", what="the gzip stream is not complete")
            try:
                block = engine.decompress(self._pending, _READ)
            except zlib.error as error:
                raise Refusal("E_ARC_CRC", name="the gzip stream") from error
            self._pending = engine.unconsumed_tail
        if engine.eof and (engine.unused_data or self._at < self._bytes):
            _malformed("bytes after the gzip stream")
        return block


def _members(stream: _Stream, limits: ReadLimits) -> Iterator[_Member]:
    overrides = _Overrides()
    while True:
        header = stream.read(_BLOCK)
        if len(header) < _BLOCK:
            raise Refusal("E_ARC_TRUNC", what="its end mark is missing")
        if header == _ZEROS:
            if overrides.seen:
                _malformed("an extended header without a member")
            _finish(stream)
            return
        kind = _checked_kind(header)
        size = _number(header[124:136])
        if kind in (b"x", b"g", b"L"):
            _extended(kind, stream, size, overrides)
            continue
        yield _regular(header, kind, size, overrides, stream, limits)
        overrides = _Overrides()


def _finish(stream: _Stream) -> None:
    if stream.read(_BLOCK) != _ZEROS:
        raise Refusal("E_ARC_TRUNC", what="its end mark is not complete")
    padding = 0
    while block := stream.read(_READ):
        if len(block) % _BLOCK:
            raise Refusal("E_ARC_TRUNC", what="it ends inside a block")
        padding += len(block)
        if block.count(0) != len(block) or padding > _MAX_PADDING_BYTES:
            _malformed("bytes after its end mark")


def _checked_kind(header: bytes) -> bytes:
    if header[MAGIC_AT : MAGIC_AT + 5] != MAGIC:
        _malformed("a header without the ustar mark")
    listed = _number(header[148:156])
    if sum(header) - sum(header[148:156]) + 8 * 32 != listed:
        _malformed("a header whose checksum is wrong")
    return header[156:157]


def _number(raw: bytes) -> int:
    """Octal digits, or GNU's base-256 for large sizes."""
    if raw[0] & 0x80:
        return int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
    digits = raw.strip(b" \0")
    if not digits or any(digit not in b"01234567" for digit in digits):
        _malformed("a header whose number is not octal")
    return int(digits, 8)


def _extended(kind: bytes, stream: _Stream, size: int, overrides: _Overrides) -> None:
    if size > _MAX_EXTENDED_BYTES:
        _malformed(f"an extended header of {size} bytes")
    raw = stream.exactly(-(-size // _BLOCK) * _BLOCK)[:size]
    if kind == b"L":
        overrides.mark("path")
        overrides.path = raw.rstrip(b"\0")
        return
    overrides.mark("pax" if kind == b"x" else "global")
    records = list(_pax_records(raw))
    _refuse_sparse_records(records)
    for key, value in records:
        _apply(key, value, kind, overrides)


def _pax_records(raw: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(raw):
        blank = raw.find(b" ", at, at + 8)
        digits = raw[at:blank] if blank > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        equals = raw.find(b"=", blank, end)
        if not blank < equals < end <= len(raw) or raw[end - 1 : end] != b"\n":
            _malformed("a broken pax record")
        yield raw[blank + 1 : equals].decode("utf-8", "replace"), raw[equals + 1 : end - 1]
        at = end


def _refuse_sparse_records(records: list[tuple[str, bytes]]) -> None:
    """Whatever comes first among them, the size is what is said of a huge one."""
    sparse = {key: value for key, value in records if key.startswith("GNU.sparse.")}
    for key in ("GNU.sparse.realsize", "GNU.sparse.size"):
        if (value := sparse.get(key, b"")).isdigit() and len(value) > 10:
            raise Refusal("E_ARC_BOMB", what=f"a sparse member of {value.decode()} bytes")
    if sparse:
        raise Refusal("E_ARC_TYPE", name="a member", what="sparse")


def _apply(key: str, value: bytes, kind: bytes, overrides: _Overrides) -> None:
    if key in _HARMLESS or key.startswith(_HARMLESS_PREFIXES):
        return
    if kind == b"g" or key not in ("path", "size"):
        _malformed(f"a pax record {quoted(key)}")
    overrides.mark(key)
    if key == "path":
        overrides.path = value
    elif not value.isdigit() or len(value) > 15:
        _malformed("a pax size that is no number")
    else:
        overrides.size = int(value)


def _regular(
    header: bytes, kind: bytes, size: int, overrides: _Overrides, stream: _Stream, limits: ReadLimits
) -> _Member:
    raw = overrides.path if overrides.path is not None else _header_name(header)
    if kind == b"S":
        _refuse_sparse(header, raw, limits)
    if kind not in (b"0", b"\0", b"5"):
        name = quoted(raw.decode("utf-8", "surrogateescape"))
        raise Refusal("E_ARC_TYPE", name=name, what=_KINDS.get(kind, f"of the unknown type {kind!r}"))
    path = member_path(raw, limits)
    folder = kind == b"5"
    if not folder and (raw.endswith(b"/") or not path):
        raise Refusal("E_ARC_PATH", name=quoted(path + "/"))
    size = size if overrides.size is None else overrides.size
    if folder and size:
        _malformed(f"the folder {quoted(path)} has data")
    stream.expect(size)
    return _Member(path, folder, size)


def _refuse_sparse(header: bytes, raw: bytes, limits: ReadLimits) -> NoReturn:
    real = _number(header[483:495])
    name = quoted(raw.decode("utf-8", "surrogateescape"))
    if real > limits.ratio_from_bytes:
        raise Refusal("E_ARC_BOMB", what=f"the sparse member {name} of {real} bytes")
    raise Refusal("E_ARC_TYPE", name=name, what="sparse")


def _header_name(header: bytes) -> bytes:
    name, prefix = _until_zeros(header[:100]), header[345:500]
    if header[257:263] != b"ustar\0" or not prefix.rstrip(b"\0"):  # GNU headers keep times there
        return name
    return _until_zeros(prefix) + b"/" + name


def _until_zeros(raw: bytes) -> bytes:
    """A name without the zeros that fill its field. Text behind a zero stays, so that the name is refused."""
    name, _, rest = raw.partition(b"\0")
    return raw if rest.strip(b"\0") else name


def _extract(stream: _Stream, member: _Member, target: Path) -> None:
    out = create_file(target, member.path)
    try:
        left = member.bytes
        while left:
            block = stream.exactly(min(left, _READ))
            write_all(out, block)
            left -= len(block)
    finally:
        os.close(out)
    stream.skip(member.padded - member.bytes)
