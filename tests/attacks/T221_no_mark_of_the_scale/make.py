"""Answers of a judge that are nearly verdicts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put

KEYS = ("Accuracy_Completeness", "Depth_Granularity", "Added_Value")
MARKS = {
    "half": "5.5",
    "float": "5.0",
    "ten": "10",
    "two": "2",
    "word": '"five"',
    "of_five": '"5/5"',
    "text": '"5"',
    "wide": '"\uff15"',
    "true": "true",
    "null": "null",
    "nan": "NaN",
    "list": "[5]",
    "huge": "5e999",
}


def make(subjects: Path, random: Random) -> None:
    for name, mark in MARKS.items():
        put(subjects, f"mark_{name}", {"answer": answer(mark)})
    good = answer("5")
    put(subjects, "form_twice", {"answer": good + good})
    put(subjects, "form_fenced", {"answer": f"```json\n{good}\n```"})
    put(subjects, "form_prose", {"answer": f"Sure! {good}"})
    put(subjects, "form_cut", {"answer": good[:-1]})
    put(subjects, "form_double_key", {"answer": good.replace('"Added_Value"', '"Depth_Granularity"', 1)})
    put(subjects, "form_empty", {"answer": ""})
    put(subjects, "whole", {"answer": good})


def answer(mark: str) -> str:
    scores = ", ".join(f'"{key}": {mark if key == KEYS[-1] else 3}' for key in KEYS)
    reasons = ", ".join(f'"{key}": "ok"' for key in KEYS)
    return f'{{"scores": {{{scores}}}, "reasons": {{{reasons}}}}}'
