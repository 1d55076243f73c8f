"""Stop and response intervals from two lists of speech: pure, and O(n log n).

An interval is (start, end) in seconds. Results are rounded to milliseconds, as the published timing prints them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Interval = tuple[float, float]


def merge(segments: Iterable[Interval], gap_s: float) -> list[Interval]:
    """Sorted by start, with neighbours joined whose pause is at most ``gap_s``."""
    merged: list[Interval] = []
    for start, end in sorted(segments):
        if merged and start - merged[-1][1] <= gap_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def overlaps(user: Sequence[Interval], model: Sequence[Interval]) -> list[Interval]:
    """Where both speak, from two sorted lists without overlaps in themselves."""
    found: list[Interval] = []
    mine, theirs = 0, 0
    while mine < len(user) and theirs < len(model):
        start = max(user[mine][0], model[theirs][0])
        end = min(user[mine][1], model[theirs][1])
        if end > start:
            found.append((start, end))
        if user[mine][1] < model[theirs][1]:
            mine += 1
        else:
            theirs += 1
    return found


def stop_intervals(user: Sequence[Interval], model: Sequence[Interval]) -> list[Interval]:
    """How long the model spoke on while the user spoke: every overlap, sorted by its end.

    Of overlaps that end in the same millisecond the shortest stays. The published definition counts any overlap, also
    a model that speaks into the first query.
    """
    shortest: dict[float, Interval] = {}
    for start, end in overlaps(user, model):
        key = round(end, 3)
        kept = shortest.get(key)
        if kept is None or end - start < kept[1] - kept[0]:
            shortest[key] = (start, end)
    return [(round(start, 3), end_ms) for end_ms, (start, _) in sorted(shortest.items())]


def response_intervals(user: Sequence[Interval], model: Sequence[Interval]) -> list[Interval]:
    """From the end of each user segment to the first model start strictly after it, sorted.

    Of user segments that meet the same start (to the millisecond) the last one counts.
    """
    starts = sorted(start for start, _ in model)
    latest: dict[float, Interval] = {}
    for _, end in user:
        place = bisect_right(starts, end)
        if place == len(starts):
            continue
        key = round(starts[place], 3)
        if key not in latest or end > latest[key][0]:
            latest[key] = (end, starts[place])
    return sorted((round(end, 3), start_ms) for start_ms, (end, _) in latest.items())


def lengths(intervals: Iterable[Interval]) -> list[float]:
    """Seconds of each."""
    return [end - start for start, end in intervals]
