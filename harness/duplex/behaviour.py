"""What a model did after the overlap began: four labels, how a judge's reply is read, and their shares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Label = Literal["RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN"]
LABELS: tuple[Label, ...] = ("RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN")
# The names that the published prompt asks for.
_PUBLISHED: dict[str, Label] = {
    "C_RESPOND": "RESPOND",
    "C_RESUME": "RESUME",
    "C_UNCERTAIN_HANDLING": "UNCERTAIN",
    "C_UNKNOWN": "UNKNOWN",
}
_KEY = "behaviour"


class NoLabel(ValueError):
    """A judge's reply that holds no label of the four."""


def read_label(value: object) -> Label:
    """One of the four labels, by our name or the published one. Raises NoLabel for anything else."""
    if isinstance(value, str):
        if value in _PUBLISHED:
            return _PUBLISHED[value]
        for label in LABELS:
            if value == label:
                return label
    raise NoLabel(f"{value!r} is none of {', '.join(LABELS)}")


def read_reply(raw: str) -> tuple[Label, ...]:
    """The labels of a judge's reply: the first JSON object in it that has a key "behaviour" (a label or a list).

    As the published reader does, line breaks are deleted first, and an object inside another that decodes is not
    looked into. Raises NoLabel when there is none, it is empty, or a label is not one of the four.
    """
    found = _first_object(raw.strip().replace("\n", ""))
    if found is None:
        raise NoLabel("the reply holds no JSON object with a behaviour")
    value = found[_KEY]
    values = value if isinstance(value, list) else [value]
    if not values:
        raise NoLabel("the list of behaviours is empty")
    return tuple(read_label(each) for each in values)


def _first_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict) and _KEY in value:
                return value
        at = text.find("{", end)
    return None


@dataclass(frozen=True, slots=True)
class LabelShares:
    """``counts`` of the labels that occurred; ``total`` counts labels, so a reply with two counts twice."""

    counts: dict[Label, int]
    total: int

    def ratio(self, label: Label) -> Fraction | None:
        """Exact share of one label; None when nothing was labelled."""
        return Fraction(self.counts.get(label, 0), self.total) if self.total else None


def label_shares(labelled: Iterable[Iterable[Label]]) -> LabelShares:
    """Shares over all labels of all judged groups."""
    counts = Counter(label for labels in labelled for label in labels)
    return LabelShares({label: counts[label] for label in LABELS if counts[label]}, counts.total())
