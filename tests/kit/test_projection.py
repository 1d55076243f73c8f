"""From a few measured runs to the hidden set: what holds for every measurement, and known cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evaluation.projection import JITTER_S, JITTER_SHARE, line, project


def test_a_straight_line_is_found_again() -> None:
    found = project([(6, 5 + 6 * 2.0), (12, 5 + 12 * 2.0), (24, 5 + 24 * 2.0)], 900, 14400)
    assert (found.fixed_s, found.per_dialogue_s, found.expected_s) == pytest.approx((5.0, 2.0, 1805.0))
    assert found.low_s < 1805 < found.high_s


@given(
    fixed=st.floats(0, 500),
    each=st.floats(0.001, 100),
    sizes=st.lists(st.integers(1, 500), min_size=2, max_size=3, unique=True).map(sorted),
    noise=st.lists(st.floats(-1, 1), min_size=3, max_size=3),
    target=st.integers(1, 2000),
)
def test_the_truth_lies_between_low_and_high_when_no_time_is_off_by_more_than_its_jitter(
    fixed: float, each: float, sizes: list[int], noise: list[float], target: int
) -> None:
    points = []
    for size, share in zip(sizes, noise, strict=False):
        true = fixed + each * size
        # The jitter that project allows is a share of what was measured: keep inside it.
        points.append((size, max(0.0, true + share * (JITTER_S + JITTER_SHARE * true) / (1 + JITTER_SHARE))))
    found = project(points, target, 14400)
    assert found.low_s <= found.expected_s <= found.high_s
    if target >= sizes[-1]:
        assert found.low_s - 0.01 <= fixed + each * target <= found.high_s + 0.01


@given(n=st.integers(1, 100), t=st.floats(0.1, 1000), target=st.integers(100, 1000))
def test_one_size_brackets_all_fixed_and_all_per_dialogue(n: int, t: float, target: int) -> None:
    found = project([(n, t)], target, 14400)
    assert found.low_s <= t + 0.001
    assert found.high_s + 0.001 >= t * target / n


def test_costs_are_never_negative() -> None:
    assert line([(10, 100.0), (20, 90.0)]) == (95.0, 0.0)
    fixed, each = line([(10, 10.0), (20, 25.0)])
    assert fixed == 0.0
    assert each == pytest.approx((100 + 500) / 500)


def test_more_measurements_narrow_the_range() -> None:
    near = project([(6, 12.0), (12, 24.0)], 900, 14400)
    far = project([(60, 120.0), (120, 240.0)], 900, 14400)
    assert far.high_s - far.low_s < near.high_s - near.low_s
