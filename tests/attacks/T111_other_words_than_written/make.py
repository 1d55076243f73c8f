"""Words heard beside words written: another text, none, half of them, the same with other blanks and marks."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put


def make(subjects: Path, random: Random) -> None:
    other = {"en": "the weather will stay dry until the evening", "zh": "明天多云转晴气温略有回升"}
    for language in LANGUAGES:
        text = GOOD[language]
        put(subjects, f"far_{language}_other", [text, other[language]])
        put(subjects, f"far_{language}_nothing", [text, ""])
        put(subjects, f"far_{language}_twice", [text, f"{text} {text}"])
        put(subjects, f"near_{language}_same", [text, text])
        put(subjects, f"near_{language}_most", [text, text[: len(text) * 3 // 4]])
        put(subjects, f"near_{language}_marks", [text, text.upper().replace(",", " ").replace("，", "")])
