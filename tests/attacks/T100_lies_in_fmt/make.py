"""Block aligns and byte rates of another format, headers of other lengths."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for align in (0, 1, 3, 4, 65535):
        write(subjects / f"align-{align}", riff(fmt(align=align), data))
        write(subjects / f"align-alone-{align}", riff(edited(fmt(), 12, struct.pack("<H", align)), data))
    for rate in (0, 1, 16_000, 31_999, 64_000, 0xFFFFFFFF):
        write(subjects / f"bytes-{rate}", riff(edited(fmt(), 8, struct.pack("<I", rate)), data))
    for length in (0, 2, 14, 15):
        write(subjects / f"short-{length}", riff(fmt()[:length], data))
    write(subjects / "long", riff(fmt() + bytes(8), data))
    write(subjects / "extension", riff(fmt() + struct.pack("<H", 22), data))
