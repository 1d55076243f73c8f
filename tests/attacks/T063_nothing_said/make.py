"""Replies that are empty or show nothing, in the turn that is judged."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import line, with_file


def make(subjects: Path, random: Random) -> None:
    for name, text in {
        "empty": "",
        "blanks": "   ",
        "ideographic": "\u3000\u3000",
        "zero-width": "\u200b\u200b\u200b",
        "filler": "\u3164\u3164",
        "punctuation": "……。",
    }.items():
        rows = [line(name) for name in made.ids("task2", "zh")]
        rows[0]["turns"][-1]["response_text"] = text  # type: ignore[index]
        with_file(subjects, name, "zh/task2.jsonl", made.jsonl(rows))
