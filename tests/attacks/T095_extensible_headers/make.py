"""The extensible form of plain PCM and float is taken; other valid bits, sizes and codings are not."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff

TAIL = bytes.fromhex("000000001000800000aa00389b71")


def extensible(*, bits: int = 16, valid: int = 16, tag: int = 1, tail: bytes = TAIL, extra: int = 22) -> bytes:
    return fmt(0xFFFE, bits=bits) + struct.pack("<2HI", extra, valid, 4) + struct.pack("<H", tag) + tail


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    write(subjects / "good", riff(extensible(), data))
    write(subjects / "float", riff(extensible(bits=32, valid=32, tag=3), made.wav(bits=32, tag=3)[44:]))
    for name, header in {
        "valid-8": extensible(valid=8),
        "valid-0": extensible(valid=0),
        "valid-24": extensible(valid=24),
        "no-extension": fmt(0xFFFE),
        "short": extensible()[:30],
        "extra-0": extensible(extra=0),
        "extra-65535": extensible(extra=65535),
        "foreign": extensible(tail=bytes(14)),
        "ambisonic": extensible(tail=bytes.fromhex("0000210721d3118644c8c1ca000000")[:14]),
        "a-law": extensible(tag=6),
        "inside-itself": extensible(tag=0xFFFE),
    }.items():
        write(subjects / f"bad-{name}", riff(header, data))
