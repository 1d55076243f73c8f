"""Two `data` chunks, of which programs play different ones; two `fmt ` chunks; one of them after the data."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_wav
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    with_wav(subjects, "short-first", riff(fmt(), data[:3200], chunk(b"data", data * 3)))
    with_wav(subjects, "long-first", riff(fmt(), data * 3, chunk(b"data", data[:3200])))
    with_wav(subjects, "empty-second", riff(fmt(), data, chunk(b"data", b"")))
    with_wav(subjects, "two-fmt", riff(fmt(), data, before=chunk(b"fmt ", fmt(channels=2))))
    with_wav(subjects, "fmt-after", riff(fmt(), data, chunk(b"fmt ", fmt())))
