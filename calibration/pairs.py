"""The good and poor replies as cases to judge: situations from JSONL, poor replies from pools, chosen by place.

Calibration and held-out situations and pools share nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TASKS = ("task2", "task3", "task4")
KINDS = ("generic", "mirror", "irrelevant", "wrong")
POOR_PER_GOOD = 2
_PLEASANT = {"happy", "surprise"}


@dataclass(frozen=True, slots=True)
class Case:
    """One reply to one situation. ``kind`` is "good" or why it is poor; ``turns`` are (emotion, text)."""

    situation: str
    language: str
    task: str
    kind: str
    turns: tuple[tuple[str, str], ...]
    reply: str


def cases(split: str) -> list[Case]:
    """Every good reply of the split and two of its four poor counterparts; all kinds come equally often."""
    situations = [json.loads(line) for line in (HERE / f"{split}.jsonl").read_text("utf-8").splitlines()]
    pools = json.loads((HERE / "poor.json").read_text("utf-8"))
    found = []
    for language in sorted(pools):
        own = [situation for situation in situations if situation["language"] == language]
        for place, situation in enumerate(own):
            other = own[(place + 1) % len(own)]
            for task in TASKS:
                found += list(_cases(situation, other, task, place, pools[language], pools[language][split]))
    return found


def options(program: str) -> argparse.ArgumentParser:
    """What the scripts can be asked to leave out, for a try; the tables in the docs leave out nothing."""
    parser = argparse.ArgumentParser(description=program)
    parser.add_argument("--task", choices=TASKS, help="of this task alone")
    parser.add_argument("--language", choices=("zh", "en"), help="in this language alone")
    parser.add_argument("--situations", type=int, metavar="N", help="the first N situations in each language")
    return parser


def some_cases(split: str, left: argparse.Namespace) -> list[Case]:
    """The split, or what these options leave of it."""
    found = [case for case in cases(split) if left.task in (None, case.task) and left.language in (None, case.language)]
    first: dict[str, dict[str, None]] = {}
    for case in found:
        first.setdefault(case.language, {})[case.situation] = None
    kept = {name for own in first.values() for name in list(own)[: left.situations]}
    return [case for case in found if case.situation in kept]


def _cases(
    situation: dict[str, Any], other: dict[str, Any], task: str, place: int, texts: dict[str, Any], pool: dict[str, Any]
) -> Iterator[Case]:
    turns = _turns(situation, task, place, texts)
    replies = {
        "good": situation["good"][task],
        "generic": _pick(pool["generic"], place + TASKS.index(task)),
        "mirror": _pick(pool["mirror"], place + TASKS.index(task)),
        "irrelevant": other["good"][task],
        "wrong": _wrong(turns, task, place, texts["labels"], pool),
    }
    first = 2 * place + TASKS.index(task)
    chosen = ("good", *(KINDS[(first + step) % len(KINDS)] for step in range(POOR_PER_GOOD)))
    for kind in chosen:
        yield Case(situation["id"], situation["language"], task, kind, turns, replies[kind])


def _turns(situation: dict[str, Any], task: str, place: int, texts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    turns = [(turn["emotion"], turn["text"]) for turn in situation["turns"]]
    if task != "task4":
        return (*turns, ("neutral", _pick(texts["ask"][task], place)))
    feeling = [index for index, (emotion, _) in enumerate(turns) if emotion != "neutral"]
    return tuple(turns[: feeling[1] + 1])


def _wrong(
    turns: tuple[tuple[str, str], ...], task: str, place: int, labels: dict[str, str], pool: dict[str, Any]
) -> str:
    if task == "task2":
        absent = [word for label, word in labels.items() if label not in {emotion for emotion, _ in turns}]
        words = [_pick(absent, place + step) for step in range(3)]
        return str(_pick(pool["wrong_path"], place).format(*words))
    if task == "task3":
        return _pick(pool["wrong_cause"], place)
    return _pick(pool["wrong_grief" if turns[-1][0] in _PLEASANT else "wrong_cheer"], place)


def _pick(pool: list[str], place: int) -> str:
    return pool[place % len(pool)]
