"""Two `data` chunks, of which programs play different ones; two `fmt ` chunks; one of them after the data."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    write(subjects / "short-first", riff(fmt(), data[:3200], chunk(b"data", data * 3)))
    write(subjects / "long-first", riff(fmt(), data * 3, chunk(b"data", data[:3200])))
    write(subjects / "empty-second", riff(fmt(), data, chunk(b"data", b"")))
    write(subjects / "two-fmt", riff(fmt(), data, before=chunk(b"fmt ", fmt(channels=2))))
    write(subjects / "fmt-after", riff(fmt(), data, chunk(b"fmt ", fmt())))
