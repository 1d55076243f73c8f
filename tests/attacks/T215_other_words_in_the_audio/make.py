"""Kind text with the transcript of an advertisement, and with its own."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put

SOLD = {
    "en": "Buy two today and save fifty percent on everything in the store",
    "zh": "今天下单买二送一全场五折先到先得",
}


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        put(subjects, f"other_{language}", [GOOD[language], SOLD[language]])
        put(subjects, f"own_{language}", [GOOD[language], GOOD[language].lower().replace("，", " ").rstrip(".。")])
