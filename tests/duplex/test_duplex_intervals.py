"""Properties of the interval algebra, against a slow and obvious twin on a millisecond grid."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from harness.duplex.intervals import Interval, merge, overlaps, response_intervals, stop_intervals

MILLISECONDS = st.integers(0, 3000)
SEGMENTS = st.lists(st.tuples(MILLISECONDS, st.integers(1, 400)), max_size=12).map(
    lambda pairs: [(start / 1000, (start + length) / 1000) for start, length in pairs]
)


def covered(segments: list[Interval]) -> set[int]:
    return {ms for start, end in segments for ms in range(round(start * 1000), round(end * 1000))}


@given(SEGMENTS, st.integers(0, 700))
def test_merging_covers_what_was_there_and_only_fills_short_pauses(segments: list[Interval], gap_ms: int) -> None:
    merged = merge(segments, gap_ms / 1000)
    assert covered(segments) <= covered(merged)
    assert merged == sorted(merged)
    assert all(later[0] - earlier[1] > gap_ms / 1000 for earlier, later in itertools.pairwise(merged))
    assert merge(merged, gap_ms / 1000) == merged
    assert merge(list(reversed(segments)), gap_ms / 1000) == merged
    edges = {start for start, _ in segments}, {end for _, end in segments}
    assert all(start in edges[0] and end in edges[1] for start, end in merged)


@given(SEGMENTS, SEGMENTS)
def test_overlaps_are_where_both_speak(one: list[Interval], other: list[Interval]) -> None:
    user, model = merge(one, 0.0), merge(other, 0.0)
    both = overlaps(user, model)
    assert covered(both) == covered(user) & covered(model)
    assert covered(overlaps(model, user)) == covered(both)


@given(SEGMENTS, SEGMENTS)
def test_stops_are_overlaps_and_end_once_each(one: list[Interval], other: list[Interval]) -> None:
    user, model = merge(one, 0.6), merge(other, 0.5)
    stops = stop_intervals(user, model)
    ends = [end for _, end in stops]
    assert ends == sorted(set(ends))
    assert covered(stops) <= covered(user) & covered(model)
    assert bool(stops) == bool(covered(user) & covered(model))


@given(SEGMENTS, SEGMENTS)
def test_responses_start_strictly_after_the_user_and_once_each(one: list[Interval], other: list[Interval]) -> None:
    user, model = merge(one, 0.6), merge(other, 0.5)
    found = response_intervals(user, model)
    starts = [start for _, start in found]
    assert len(set(starts)) == len(starts)
    for end, start in found:
        assert start > end
        assert not any(end < other_start < start for other_start, _ in model)
    answered = {min(start for start, _ in model if start > end) for _, end in user if any(s > end for s, _ in model)}
    assert set(starts) == answered


class Counted(float):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: object) -> bool:
        Counted.compared += 1
        return float.__lt__(self, other)  # type: ignore[operator]

    def __gt__(self, other: object) -> bool:
        Counted.compared += 1
        return float.__gt__(self, other)  # type: ignore[operator]

    def __le__(self, other: object) -> bool:
        Counted.compared += 1
        return float.__le__(self, other)  # type: ignore[operator]


def comparisons(n: int) -> int:
    """How many a pair of 2n stretches takes, the model's each a little behind the user's; those come out of order."""
    order = sorted(range(n), key=lambda k: k * 7919 % n)
    user = [(Counted(2 * k), Counted(2 * k + 0.8)) for k in order]
    model = [(Counted(2 * k + 0.5), Counted(2 * k + 1.2)) for k in order]
    Counted.compared = 0
    mine, theirs = merge(user, 0.0), merge(model, 0.0)
    assert (len(stop_intervals(mine, theirs)), len(response_intervals(mine, theirs))) == (n, n - 1)
    return Counted.compared


def test_twenty_times_as_many_stretches_take_about_twenty_times_as_long() -> None:
    """n log n would be 31 times as long, n squared 400 times."""
    few, many = comparisons(500), comparisons(10_000)
    assert few > 500 and many / few < 40


def test_a_silent_model_has_no_intervals() -> None:
    assert stop_intervals([(0.0, 1.0)], []) == []
    assert response_intervals([(0.0, 1.0)], []) == []


def test_a_model_that_starts_exactly_at_the_end_has_not_answered() -> None:
    assert response_intervals([(0.0, 1.0)], [(1.0, 2.0)]) == []
