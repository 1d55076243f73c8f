"""Builders that several attacks share: edits of zips, tars, JSON lines and WAVs at the level of bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import made


def edited(data: bytes, at: int, new: bytes) -> bytes:
    """``data`` with the bytes at ``at`` replaced."""
    return data[:at] + new + data[at + len(new) :]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def directory_at(data: bytes) -> int:
    """Where a zip's central directory starts."""
    at: int = struct.unpack_from("<I", data, len(data) - 6)[0]
    return at


def with_line(subjects: Path, name: str, line: bytes, path: str = "zh/task2.jsonl") -> None:
    """A good submission whose first line of ``path`` is ``line``."""
    files = made.submission()
    rows = files[path].split(b"\n")
    files[path] = b"\n".join([line, *rows[1:]])
    made.write(subjects / name, files)


def with_wav(subjects: Path, name: str, data: bytes) -> None:
    """A good submission whose first WAV is ``data``."""
    files = made.submission()
    files[first_wav()] = data
    made.write(subjects / name, files)


def first_wav() -> str:
    return next(path for path in made.submission() if path.endswith(".wav"))
