"""First response delay: what the first recognised word of an output says about its timing.

The delay is the start of the first word minus the end of the scenario's reference segment. A negative delay is an
answer before the user had finished; None means that nothing was recognised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from harness.documents.duplex import Annotation, Transcript


class TooFewSegments(ValueError):
    """The annotation lacks the segment that the scenario measures from."""


@dataclass(frozen=True, slots=True)
class DelayRule:
    """``reference`` is the index of the segment from whose end the delay runs; ``keeps_zero`` says that a word which
    starts exactly there still counts."""

    reference: int = 0
    keeps_zero: bool = False

    def keeps(self, delay_s: Fraction) -> bool:
        return delay_s > 0 or (self.keeps_zero and delay_s == 0)


def exact(seconds: float) -> Fraction:
    """The decimal that a time is written as, exactly."""
    return Fraction(Decimal(repr(seconds)))


def first_response_delay_s(annotation: Annotation, transcript: Transcript, rule: DelayRule) -> Fraction | None:
    """Start of the first word minus end of the reference segment, or None when nothing was recognised.

    Raises TooFewSegments when the annotation has no such segment, recognised or not.
    """
    if len(annotation.segments) <= rule.reference:
        raise TooFewSegments(f"{len(annotation.segments)} segment(s), segment {rule.reference + 1} is measured from")
    if not transcript.words:
        return None
    return exact(transcript.words[0].start_s) - exact(annotation.segments[rule.reference].end_s)


@dataclass(frozen=True, slots=True)
class Mean:
    """An exact mean over ``n`` values; ``value`` is None, never 0, when there are none."""

    value: Fraction | None
    n: int

    @classmethod
    def of(cls, values: Iterable[Fraction]) -> Mean:
        kept = list(values)
        return cls(sum(kept, Fraction(0)) / len(kept) if kept else None, len(kept))
