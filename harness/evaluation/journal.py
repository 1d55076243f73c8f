"""An append-only file of records, each with its number, the digest of the record before it, and a checksum.

What a crash leaves at the end (half a line, garbage, zeros) is cut off and kept beside as `.torn`; the work that it
stood for is done again. Damage in the middle cannot come from a crash: it stops everything (I_CORRUPT).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.documents.codec import canonical_json
from harness.errors import MachineError, Refused
from harness.evaluation.run_io import RunIO

_FIRST = "0" * 64
_KEYS = {"seq", "prev", "event", "data", "t_wall", "t_mono", "crc"}


@dataclass(frozen=True, slots=True)
class Record:
    """One event. ``seq`` counts from 0 and is the only order there is; times are labels."""

    seq: int
    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file holds: its good records, their bytes, the digest of the last, and what follows them."""

    records: tuple[Record, ...]
    good_bytes: int
    head: str
    torn: bytes


class Journal:
    """The one writer of a journal. Opening it cuts off a torn tail; ``torn_bytes`` says how much that was."""

    def __init__(self, io: RunIO, path: Path) -> None:
        self._io, self._path = io, path
        found = scan(path)
        if found.torn:
            io.write(_free(path.with_suffix(".torn")), found.torn)
            io.truncate(path, found.good_bytes)
        self.records = list(found.records)
        self.torn_bytes = len(found.torn)
        self._head = found.head
        self._descriptor = io.open_append(path)

    def append(self, *events: tuple[str, dict[str, Any]]) -> list[Record]:
        """Write events in one go; when this returns they survive a crash."""
        lines: list[bytes] = []
        made: list[Record] = []
        for event, data in events:
            record = Record(len(self.records) + len(made), event, data)
            line = _line(record, self._head)
            self._head = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
            made.append(record)
        self._io.append(self._descriptor, self._path, b"".join(lines))
        self.records += made
        return made

    def close(self) -> None:
        os.close(self._descriptor)


def scan(path: Path) -> Scan:
    """Read a journal without changing it. Raises Refused (I_CORRUPT) for damage before its end,
    MachineError (I_DISK)."""
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise MachineError(
            f"{path.name} cannot be read: {error.strerror}", code="I_DISK", hint="check the disk, then run again"
        ) from error
    records: list[Record] = []
    head, good = _FIRST, 0
    while (end := raw.find(b"\n", good)) >= 0:
        line = raw[good:end]
        record = _record(line, len(records), head)
        if record is None:
            break
        records.append(record)
        head, good = hashlib.sha256(line).hexdigest(), end + 1
    torn = raw[good:]
    _refuse_damage(path, torn, len(records))
    return Scan(tuple(records), good, head, torn)


def _line(record: Record, head: str) -> bytes:
    plain: dict[str, Any] = {
        "seq": record.seq,
        "prev": head,
        "event": record.event,
        "data": record.data,
        "t_wall": round(time.time(), 3),
        "t_mono": round(time.monotonic(), 3),
    }
    return canonical_json({**plain, "crc": _crc(plain)})


def _crc(plain: dict[str, Any]) -> str:
    """Over all of a record but its checksum."""
    return f"{zlib.crc32(canonical_json({key: value for key, value in plain.items() if key != 'crc'})):08x}"


def _record(line: bytes, number: int, head: str) -> Record | None:
    """The record in ``line`` if it is whole, undamaged and the next one."""
    plain = _plain(line)
    if plain is None or plain["crc"] != _crc(plain) or plain["seq"] != number or plain["prev"] != head:
        return None
    return Record(number, plain["event"], plain["data"])


def _plain(line: bytes) -> dict[str, Any] | None:
    """What has the form of a record, its checksum with it."""
    try:
        plain = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict) or plain.keys() != _KEYS or not isinstance(plain["data"], dict):
        return None
    return plain


def _refuse_damage(path: Path, rest: bytes, number: int) -> None:
    """A crash damages only what was written last, and leaves no record that is whole but for its checksum: whole
    records after damaged bytes, and changed ones, mean that somebody else did."""
    for line in rest.split(b"\n"):
        plain = _plain(line)
        if plain is None:
            continue
        told = f"record {plain['seq']} follows and is whole" if plain["crc"] == _crc(plain) else "it was changed"
        raise Refused(
            f"{path.name} is damaged at record {number}: {told}",
            code="I_CORRUPT",
            hint="restore the file from a copy; a run that was changed by hand is not published",
        )


def _free(path: Path) -> Path:
    """``path``, or the first of its numbered siblings that is not there: no torn tail is lost."""
    number = 1
    candidate = path
    while candidate.exists():
        candidate = path.with_suffix(f".torn.{number}")
        number += 1
    return candidate


def find(records: Sequence[Record], event: str) -> list[Record]:
    """The records of one kind, in order."""
    return [record for record in records if record.event == event]
