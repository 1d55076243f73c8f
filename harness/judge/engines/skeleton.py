"""The forced skeleton of a verdict: the keys are ours, the values are the model's choice, the reasons are its words.

``{"scores": {"A": 3, "B": 5}, "reasons": {"A": "…", "B": "…"}}`` is cut into leads (the words before each value) and
candidates (the tokens of each allowed value). Which tokens spell a lead is decided here, once; left to a mask alone, a
model spells key names in odd ways, and its marks follow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.prompt import Question, Value

Encode = Callable[[str], list[int]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One question's place: the tokens before its value and each value's tokens. No value begins another."""

    question: Question
    lead: tuple[int, ...]
    opening: tuple[int, ...]
    values: tuple[tuple[int, ...], ...]

    @property
    def width(self) -> int:
        return max(len(value) for value in self.values)

    def branches(self, lead: Sequence[int]) -> list[list[int]]:
        """What must be read after a prompt so that the log-probability of every value is known."""
        stems = {(*lead, *value[:-1]) for value in self.values}
        return [list(stem) for stem in sorted(stems)]

    def scores(self, lead: Sequence[int], read: Callable[[Sequence[int]], Any]) -> list[float]:
        """The log-probability of each value; ``read(tokens)`` gives the log-probabilities of what follows them."""
        found = []
        for value in self.values:
            steps = [(*lead, *value[:index]) for index in range(len(value))]
            found.append(sum(float(read(stem)[token]) for stem, token in zip(steps, value, strict=True)))
        return found


@dataclass(frozen=True, slots=True)
class Skeleton:
    """All slots of a verdict in order, and the text that closes the scores."""

    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, questions: Sequence[Question], encode: Encode) -> Skeleton:
        slots = []
        for index, question in enumerate(questions):
            key = json.dumps(question.name, ensure_ascii=False) + ": "
            values = tuple(tuple(encode(json.dumps(value, ensure_ascii=False))) for value in question.values)
            opening = tuple(encode('{"scores": {' + key))
            lead = opening if index == 0 else tuple(encode(", " + key))
            slots.append(Slot(question, lead, opening, values))
        return cls(tuple(slots))


def scores_text(chosen: Sequence[tuple[str, Value]]) -> str:
    """The JSON of the scores so far, up to where the reasons (or the end) follow."""
    inner = ", ".join(
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}" for name, value in chosen
    )
    return '{"scores": {' + inner + "}"


def chances(logs: Sequence[float]) -> list[float]:
    """The probabilities of the allowed values among themselves."""
    top = max(logs)
    weights = [math.exp(log - top) for log in logs]
    return [weight / sum(weights) for weight in weights]


def beside(question: Question, logs: Sequence[float]) -> dict[str, float]:
    """What is shown beside a verdict: for marks the probability-weighted mark ``expected.<name>``, for labels each
    one's probability ``chance.<name>.<label>``. Rounded to 6 places."""
    shares = chances(logs)
    if all(isinstance(value, int) for value in question.values):
        mean = sum(int(value) * share for value, share in zip(question.values, shares, strict=True))
        return {f"expected.{question.name}": round(mean, 6)}
    return {
        f"chance.{question.name}.{value}": round(share, 6) for value, share in zip(question.values, shares, strict=True)
    }


def best(question: Question, logs: Sequence[float]) -> Value:
    """The most likely value; of equals the first of the list, which is the lowest mark."""
    return question.values[max(range(len(logs)), key=lambda index: (logs[index], -index))]
