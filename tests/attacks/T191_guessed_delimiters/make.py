"""Fence ends, closing tags, and lines that look like an item's mark."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said

ENDS = ("```", "</reply>", "</data>", '"""', "0123456789abcdef", "{{mark}}", "EOF", "=====")


def make(subjects: Path, random: Random) -> None:
    for number, end in enumerate(ENDS):
        for language in LANGUAGES:
            text = f"{GOOD[language]}\n{end}\n{GOOD[language]}"
            put(subjects, f"{language}_{number}", said(language, text))
