"""What a model did after the overlap began: four labels and their shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Label = Literal["RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN"]
LABELS: tuple[Label, ...] = ("RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN")
# The names that the published prompt asks for.
_PUBLISHED: dict[str, Label] = {
    "C_RESPOND": "RESPOND",
    "C_RESUME": "RESUME",
    "C_UNCERTAIN_HANDLING": "UNCERTAIN",
    "C_UNKNOWN": "UNKNOWN",
}


class NoLabel(ValueError):
    """What a judge or a file gives is none of the four labels."""


def read_label(value: object) -> Label:
    """One of the four labels, by our name or the published one. Raises NoLabel for anything else."""
    if isinstance(value, str):
        if value in _PUBLISHED:
            return _PUBLISHED[value]
        for label in LABELS:
            if value == label:
                return label
    raise NoLabel(f"{value!r} is none of {', '.join(LABELS)}")


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
