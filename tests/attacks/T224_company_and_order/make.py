"""Three dozen replies, shuffled three times. What a model makes of batches of other sizes is counted by
benchmarks/judge.py and tests/judge/test_official_engine.py."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        replies = [f"{GOOD[language]} {random.randrange(1 << 30)}" for _ in range(36)]
        put(subjects, language, {"language": language, "replies": replies})
