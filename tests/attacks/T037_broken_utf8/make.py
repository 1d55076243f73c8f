"""Bytes that lenient decoders take: overlong forms, surrogates as bytes, cut tails, beyond U+10FFFF, Latin-1."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write

BYTES = {
    "overlong-slash": b"\xc0\xaf",
    "overlong-three": b"\xe0\x80\xaf",
    "cesu-pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "half-character": b"\xed\xa0\xbd",
    "beyond-unicode": b"\xf4\x90\x80\x80",
    "cut": b"\xe5\x90",
    "stray": b"\x80",
    "latin-1": "café".encode("latin-1"),
    "five-bytes": b"\xf8\x88\x80\x80\x80",
}


def make(subjects: Path, random: Random) -> None:
    for name, data in BYTES.items():
        write(subjects / name, raw_line(name, "PLACE", "ABC").replace(b"ABC", data))
