"""Prints the thresholds of [judges.small.settings] as the calibration split gives them.

    sandbox/engine.sh with python calibration/calibrate.py

The lowest step of a scale is parted from the rest where good and poor replies part best (balanced accuracy); the steps
above lie at fixed quantiles of the good replies. The held-out split is not looked at.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from statistics import quantiles

from measure import Measured, measure
from pairs import options

from harness.challenge.load import load_challenge


def main(left: argparse.Namespace) -> None:
    found = measure("calibration", left)
    challenge = load_challenge()
    for language in (each for each in challenge.languages if left.language in (None, each)):
        print(f"[judges.small.settings.thresholds.{language}]")
        for task in (task for task in challenge.tasks.values() if left.task in (None, task.id)):
            for dimension in task.dimension_ids("text"):
                some = [m for m in found if (m.case.language, m.case.task) == (language, task.id)]
                values = thresholds(some, dimension, len(task.scale))
                print(f'"{task.id}.{dimension}" = {[round(value, 3) for value in values]}')
        print()


def thresholds(found: list[Measured], dimension: str, marks: int) -> list[float]:
    """``marks`` − 1 rising thresholds. Three marks: [parting, median of the good]. Five: [median of the poor below
    the parting, parting, 40 % and 75 % of the good]."""
    good = sorted(m.values[dimension] for m in found if m.case.kind == "good")
    poor = sorted(m.values[dimension] for m in found if m.case.kind != "good")
    cut = parting(good, poor)
    steps = levels([value for value in good if value >= cut] or [cut], 20)
    if marks == 3:
        return rising([cut, steps[9]])
    below = [value for value in poor if value < cut] or [cut]
    return rising([levels(below, 2)[0], cut, steps[7], steps[14]])


def levels(values: list[float], n: int) -> list[float]:
    """The n − 1 quantiles; a single value, as a try on few situations may leave, is all of them."""
    return quantiles(values, n=n, method="inclusive") if len(values) > 1 else values * (n - 1)


def parting(good: list[float], poor: list[float]) -> float:
    """The value between two neighbours that parts good from poor best; the middle one among equals."""
    every = sorted(good + poor)
    places = [(low + high) / 2 for low, high in pairwise(every) if high > low]

    def accuracy(cut: float) -> float:
        return sum(v >= cut for v in good) / len(good) + sum(v < cut for v in poor) / len(poor)

    best = max(accuracy(place) for place in places)
    winners = [place for place in places if accuracy(place) == best]
    return winners[len(winners) // 2]


def rising(values: list[float]) -> list[float]:
    """Thresholds must differ even after rounding."""
    for index in range(1, len(values)):
        values[index] = max(values[index], values[index - 1] + 0.002)
    return values


if __name__ == "__main__":
    main(options("The thresholds that the calibration split gives.").parse_args())
