"""Track 2: who spoke when, what was said, and how a model took it."""

from harness.duplex.intervals import merge, response_intervals, stop_intervals

__all__ = ["merge", "response_intervals", "stop_intervals"]
