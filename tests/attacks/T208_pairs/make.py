"""Two replies to one dialogue, in both orders: the files that the judge gets are the same bytes, and no prompt holds
the other reply."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put

RIVAL = {
    "en": "Happy at first, then worried: I would have felt the same in your place.",
    "zh": "先是开心，后来担心，换了我也会这样。",
}


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        put(subjects, language, {"language": language, "replies": [GOOD[language], RIVAL[language]]})
