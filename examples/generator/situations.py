"""The hand-written material: what happened to the user, how it felt, and what a good answer would say about it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "situations"
NEUTRAL = "neutral"
ASKING_TASKS = ("task2", "task3")
"""Tasks whose last turn is a question about the dialogue, and so no part of the situation."""


@dataclass(frozen=True, slots=True)
class SituationTurn:
    """One moment: two wordings of the user, the event in the second person, and a sentence that answers it."""

    emotion: str
    say: tuple[str, ...]
    event: str
    reply: str


@dataclass(frozen=True, slots=True)
class Situation:
    """Five moments in order; any first few of them are a dialogue that makes sense. ``number`` counts from 1."""

    name: str
    number: int
    language: str
    turns: tuple[SituationTurn, ...]
    cause: str
    advice: str


@cache
def situations(language: str) -> tuple[Situation, ...]:
    """All situations of a language, in the order of their file names."""
    found = []
    for number, path in enumerate(sorted((FOLDER / language).glob("*.toml")), start=1):
        entry = tomllib.loads(path.read_text("utf-8"))
        turns = tuple(
            SituationTurn(turn["emotion"], tuple(turn["say"]), turn["event"], turn["reply"]) for turn in entry["turns"]
        )
        found.append(Situation(path.stem, number, language, turns, entry["cause"], entry["advice"]))
    return tuple(found)


@cache
def questions(language: str, task: str) -> tuple[str, ...]:
    """The ways in which the user asks at the end of a dialogue of ``task``; none for an everyday dialogue."""
    table = tomllib.loads((FOLDER / "questions.toml").read_text("utf-8"))
    return tuple(table[language].get(task, ()))
