"""What a judge said of tasks that are not ranked: means beside the report, in which nothing counts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from harness.documents.report import UNCOUNTED_STATES, Evidence, ScoredItem


def judged_means(items: Sequence[ScoredItem]) -> tuple[Evidence, ...]:
    """The mean mark of every task, language and dimension over the items that have a mark; what nobody handed in or
    cannot be heard has the lowest one, under a policy with floors. A dimension that the judge cannot judge has none."""
    unknown = {(item.task, item.dimension) for item in items if item.state == "not_judged"}
    marks: dict[tuple[str, str, str], list[Fraction]] = defaultdict(list)
    for item in items:
        counts = item.score is not None and item.state not in UNCOUNTED_STATES
        if counts and (item.task, item.dimension) not in unknown:
            marks[item.task, item.language, item.dimension].append(Fraction(item.score or 0))
    return tuple(
        Evidence(task, language, dimension, round(float(sum(found) / len(found)), 4), len(found))
        for (task, language, dimension), found in marks.items()
    )
