"""0 and 0.01 s, one sample too few and too many, half an hour, ten hours."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    rate, rules = 8000, made.CHALLENGE.audio
    tone = made.wav(1.0, rate)[44:]
    least, most = round(rules.min_duration_s * rate), round(rules.max_duration_s * rate)
    for name, frames in {"none": 0, "hundredth": rate // 100, "too-few": least - 1}.items():
        write(subjects / f"short-{name}", riff(fmt(rate=rate), tone[: 2 * frames]))
    write(subjects / "least", riff(fmt(rate=rate), tone[: 2 * least]))
    write(subjects / "long-one-too-many", riff(fmt(rate=rate), tone * (most // rate) + tone[:2]))
    write(subjects / "most", riff(fmt(rate=rate), tone * (most // rate)))
    for name, hours in {"half-an-hour": 0.5, "ten-hours": 10}.items():
        hole = round(hours * 3600) * 16_000 * 2
        with (subjects / f"far-{name}").open("wb") as stream:  # a hole: it takes no room
            stream.write(riff(fmt(), bytes(4))[:40] + hole.to_bytes(4, "little"))
            stream.seek(4)
            stream.write((36 + hole).to_bytes(4, "little"))
            stream.truncate(44 + hole)
