"""Files with holes, of four gibibytes and of one byte more than the cap; the first has no header at all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    cap = made.CHALLENGE.audio.max_bytes
    for name, head, bytes_ in (
        ("zeros", b"", 4 << 30),
        ("ten-times", b"", 40 << 30),
        ("above-the-cap", b"RIFF", cap + 1),
        ("header-cut", riff(fmt(), b"")[:20], 4 << 30),
    ):
        with (subjects / name).open("wb") as stream:
            stream.write(head)
            stream.truncate(bytes_)
