"""Sound before, after and between silence: taken with a warning; nothing but silence is refused."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    rate = made.CHALLENGE.audio.advised_rate_hz
    tone, silence = made.wav(1.0, rate)[44:], bytes(2 * rate)
    write(subjects / "first", riff(fmt(rate=rate), tone + silence * 119))
    write(subjects / "last", riff(fmt(rate=rate), silence * 119 + tone))
    write(subjects / "middle", riff(fmt(rate=rate), silence * 60 + tone + silence * 59))
    write(subjects / "none", riff(fmt(rate=rate), silence * 20))
    write(subjects / "none-but-noise", riff(fmt(rate=rate), b"\x01\0\xff\xff" * rate * 10))
