"""Each added token of the model and older names: alone, split, nested, doubled, full width."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said

from harness.judge.engines.vocabulary import ADDED
from harness.judge.tokens import OLDER


def make(subjects: Path, random: Random) -> None:
    for number, token in enumerate((*ADDED, *OLDER)):
        half = len(token) // 2
        wide = "".join(chr(ord(c) + 0xFEE0) for c in token)
        forms = (token, token * 3, token[:half] + token + token[half:], f"<{token}>", wide)
        words = " and ".join(forms)
        for language in LANGUAGES:
            put(subjects, f"{language}_{number:02d}", said(language, f"{GOOD[language]} {words} {GOOD[language]}"))
        split = token[:half] + "\u200b" + token[half:]
        put(subjects, f"split_{number:02d}", said("en", f"{GOOD['en']} {split}"))
