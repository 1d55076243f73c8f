"""Text that a terminal, a spreadsheet or a browser would run, in replies and in names of dialogues and files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import line, texts, write

NASTY = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "::error::x",
]


def make(subjects: Path, random: Random) -> None:
    texts(subjects, {f"ok-{number}": f"{text} 你今天很辛苦。" for number, text in enumerate(NASTY)})
    for number, text in enumerate([*NASTY, "\x1b[2J", "\u202egnp", "a\nb", "$(id)", "`id`"]):
        row = {**line("x"), "dialogue_id": text, "turns": "none"}
        write(subjects / f"id-{number:02d}", made.jsonl([row]).rstrip(b"\n"))
