"""Braces, format codes and our own placeholders."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said

SYNTAX = (
    "{}",
    "%s %(x)d",
    "{conversation_history}",
    "{{7*7}}",
    "{{reply}} {{mark}} {{dialogue}}",
    "${x} $(id)",
    "\\1 \\g<0>",
    "{% raw %}",
    "{0!r:>{1}}",
)


def make(subjects: Path, random: Random) -> None:
    for number, syntax in enumerate(SYNTAX):
        for language in LANGUAGES:
            put(subjects, f"{language}_{number}", said(language, f"{GOOD[language]} {syntax}"))
