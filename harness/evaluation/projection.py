"""From what a few runs took to what a larger one will take. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.documents.precheck import Projection

# How far one measured wall time may be off on a machine that does other things too.
JITTER_S = 0.3
JITTER_SHARE = 0.05
Point = tuple[int, float]  # dialogues, seconds


def project(points: Sequence[Point], dialogues: int, limit_s: float) -> Projection:
    """The time for ``dialogues``, from the times of runs on growing sets (at least one, sizes rising).

    Expected: the straight line of least squares, neither cost below 0. Low and high: the widest pair of runs with each
    time off by its jitter, widened to hold what every other pair says and the expected value. With one size only,
    low takes the whole time for fixed cost, high for cost a dialogue.
    """
    fixed, each = line(points)
    expected = fixed + each * dialogues
    bounds = [expected, *_bounds(points, dialogues)]
    for index, first in enumerate(points):
        bounds += [_through(first, second, dialogues) for second in points[index + 1 :]]
    return Projection(
        dialogues=dialogues,
        limit_s=limit_s,
        fixed_s=round(fixed, 3),
        per_dialogue_s=round(each, 6),
        expected_s=round(expected, 3),
        low_s=round(min(bounds), 3),
        high_s=round(max(bounds), 3),
    )


def line(points: Sequence[Point]) -> tuple[float, float]:
    """Fixed cost and cost a dialogue by least squares, neither below 0. One size alone is all cost a dialogue."""
    mean_n = sum(n for n, _ in points) / len(points)
    mean_t = sum(t for _, t in points) / len(points)
    spread = sum((n - mean_n) ** 2 for n, _ in points)
    if not spread:
        return 0.0, mean_t / mean_n
    each = max(0.0, sum((n - mean_n) * (t - mean_t) for n, t in points) / spread)
    fixed = mean_t - each * mean_n
    if fixed < 0:  # a line through 0
        return 0.0, sum(n * t for n, t in points) / sum(n * n for n, _ in points)
    return fixed, each


def _bounds(points: Sequence[Point], dialogues: int) -> list[float]:
    (small, small_s), (large, large_s) = points[0], points[-1]
    small_e, large_e = _jitter(small_s), _jitter(large_s)
    if small == large:
        return [max(0.0, large_s - large_e), (large_s + large_e) * dialogues / large]
    more = dialogues - large
    flat = max(0.0, (large_s - large_e - small_s - small_e) / (large - small))
    steep = max(0.0, (large_s + large_e - small_s + small_e) / (large - small))
    # Less than was measured: then the steep line is the low one.
    ends = [large_s - large_e + flat * more, large_s + large_e + steep * more]
    ends += [large_s + large_e + flat * more, large_s - large_e + steep * more] if more < 0 else []
    return [max(0.0, end) for end in ends]


def _through(first: Point, second: Point, dialogues: int) -> float:
    each = max(0.0, (second[1] - first[1]) / (second[0] - first[0])) if second[0] != first[0] else 0.0
    return max(0.0, second[1] + each * (dialogues - second[0]))


def _jitter(seconds: float) -> float:
    return JITTER_S + JITTER_SHARE * seconds
