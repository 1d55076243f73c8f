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

from harness.judge.prompt import Question, Value

Encode = Callable[[str], list[int]]
Read = Callable[[Sequence[int], Sequence[int], bool], list[list[float]]]


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

    def scores(self, lead: Sequence[int], read: Read) -> list[list[float]]:
        """For every row the log-probability of each value, up to a constant of the row. ``read(stem, tokens, alone)``
        gives, row by row, those of ``tokens`` after ``stem``; ``alone`` as in Thinker.log_values."""
        after: dict[tuple[int, ...], list[int]] = {}
        for value in self.values:
            for index, token in enumerate(value):
                nexts = after.setdefault((*lead, *value[:index]), [])
                nexts += [] if token in nexts else [token]
        alone = len(after) == 1  # the constant is the same for every value
        read_rows = {stem: read(stem, nexts, alone) for stem, nexts in after.items()}
        return [
            [
                sum(
                    read_rows[stem][row][after[stem].index(token)]
                    for index, token in enumerate(value)
                    for stem in [(*lead, *value[:index])]
                )
                for value in self.values
            ]
            for row in range(len(next(iter(read_rows.values()))))
        ]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """All slots of a verdict in order, and the text that closes the scores."""

    slots: tuple[Slot, ...]

    @property
    def room(self) -> int:
        """The most tokens that are unread when the last value is chosen."""
        return self.slots[-1].width + (len(self.slots[0].opening) if len(self.slots) == 1 else 0)

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
