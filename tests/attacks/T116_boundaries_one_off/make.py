"""Metadata of 0 to 99 bytes, before the audio or behind it, whose stated size is right, one less or one more."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

import made
from made import chunk, fmt, riff


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """The class says what must happen: the padded size is the right one (taken), the next chunk starts two bytes away
    or the file ends there (refused)."""
    data = made.wav(0.2)[44:]
    for length in range(100):
        body = chunk(b"JUNK", b"\1" * length)
        for off in (-1, 0, 1):
            if length + off < 0:
                continue
            stated = b"JUNK" + struct.pack("<I", length + off) + body[8:]
            same = (length + off + 1) // 2 == (length + 1) // 2
            short = "fewer" if off < 0 else "more"
            yield "right" if same else f"before-{short}", riff(fmt(), data, before=stated)
            yield "right" if same else f"behind-{short}", riff(fmt(), data, stated)
    whole = riff(fmt(), data)
    for off in (-1, 1):
        yield f"data-{off:+d}", whole[:40] + struct.pack("<I", len(data) + off) + whole[44:]
