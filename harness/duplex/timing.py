"""The timing of one pair: an input and the output that a model gave while it heard it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.duplex.intervals import Interval, merge, response_intervals, stop_intervals


@dataclass(frozen=True, slots=True)
class TimingRules:
    """Pauses up to these belong to one segment, in seconds."""

    user_gap_s: float = 0.6
    model_gap_s: float = 0.5


@dataclass(frozen=True, slots=True)
class PairTiming:
    """Merged speech of both sides, and what follows from it (see intervals.py). Seconds from the input's start."""

    user: tuple[Interval, ...]
    model: tuple[Interval, ...]
    stop: tuple[Interval, ...]
    response: tuple[Interval, ...]


def pair_timing(user: Sequence[Interval], model: Sequence[Interval], rules: TimingRules) -> PairTiming:
    """From each side's stretches of speech as voice activity finds them."""
    mine, theirs = merge(user, rules.user_gap_s), merge(model, rules.model_gap_s)
    return PairTiming(
        tuple(mine),
        tuple(theirs),
        tuple(stop_intervals(mine, theirs)),
        tuple(response_intervals(mine, theirs)),
    )
