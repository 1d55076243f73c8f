"""Prints how often the small judge agrees with us on the held-out pairs: is the good reply above the poor one?

    sandbox/engine.sh with python calibration/evaluate.py [--split calibration]

A pair is a good reply and one poor reply to the same situation and task. "value" compares the contrasts, "mark" the
marks (equal marks count as half). Chance is 0.50 in both.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from statistics import mean

from measure import Measured, measure
from pairs import KINDS, options

Rows = dict[tuple[str, ...], list[tuple[float, float, float, float]]]


def main(left: argparse.Namespace) -> None:
    found = measure(left.split, left)
    by_kind: Rows = defaultdict(list)
    by_dimension: Rows = defaultdict(list)
    overall: Rows = defaultdict(list)
    for good, poor in pairs_of(found):
        case = poor.case
        for dimension in good.values:
            row = (
                half(good.values[dimension], poor.values[dimension]),
                half(good.marks[dimension], poor.marks[dimension]),
                float(good.marks[dimension]),
                float(poor.marks[dimension]),
            )
            by_dimension[case.language, case.task, dimension].append(row)
            by_kind[case.language, case.task, case.kind].append(row)
        means = [mean(m.marks.values()) for m in (good, poor)]
        values = mean(half(good.values[d], poor.values[d]) for d in good.values)
        overall[case.language, case.task, "mean of the dimensions"].append((values, half(*means), *means))
        overall[case.language, "all", "mean of the dimensions"].append((values, half(*means), *means))
    for title, rows in (
        ("by dimension", by_dimension),
        ("by kind of poor reply", by_kind),
        ("a reply's mean mark", overall),
    ):
        show(title, rows)


def pairs_of(found: list[Measured]) -> list[tuple[Measured, Measured]]:
    """Every good reply with each of its poor counterparts."""
    good = {(m.case.situation, m.case.task): m for m in found if m.case.kind == "good"}
    return [(good[m.case.situation, m.case.task], m) for m in found if m.case.kind in KINDS]


def half(first: float, second: float) -> float:
    return 1.0 if first > second else 0.5 if first == second else 0.0


def show(title: str, rows: Rows) -> None:
    print(f"\n{title}\n\n| language | task | | pairs | value | mark | mean mark, good | mean mark, poor |")
    print("|---|---|---|---|---|---|---|---|")
    for key, found in sorted(rows.items()):
        columns = [mean(column) for column in zip(*found, strict=True)]
        numbers = " | ".join(f"{number:.2f}" for number in columns)
        print(f"| {' | '.join(key)} | {len(found)} | {numbers} |")


if __name__ == "__main__":
    parser = options("How often the small judge agrees with us.")
    parser.add_argument("--split", choices=("heldout", "calibration"), default="heldout")
    main(parser.parse_args())
