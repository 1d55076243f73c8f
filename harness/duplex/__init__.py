"""Track 2: who spoke when, what was said, and how a model took it."""

from harness.duplex.intervals import Interval, merge, response_intervals, stop_intervals
from harness.duplex.timing import PairTiming, TimingRules, pair_timing

__all__ = [
    "Interval",
    "PairTiming",
    "TimingRules",
    "merge",
    "pair_timing",
    "response_intervals",
    "stop_intervals",
]
