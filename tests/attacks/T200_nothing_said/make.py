"""Empty, blank, N/A, dots, and the user's last words."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put, said

EMPTY = ("", "   ", "N/A", "……", "null", "...", "—")
USER = {
    "en": "How did my feelings change through all this?",
    "zh": "你能说说我的心情是怎么变化的吗？",
}


def make(subjects: Path, random: Random) -> None:
    for language, user in USER.items():
        for number, text in enumerate(EMPTY):
            put(subjects, f"{language}_empty_{number}", said(language, text, "task2"))
        put(subjects, f"{language}_echo", said(language, user.upper().replace("?", "!"), "task2"))
