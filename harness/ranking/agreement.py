"""How far raters agree with each other, and the judge with the raters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import median

from harness.challenge.spec import Challenge
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.documents.items import Scores
from harness.documents.ratings import Agreement, Disagreement, Rating
from harness.errors import UsageError

# A team's difference is an outlier when it lies more than this many robust standard deviations (1.4826 times the
# median absolute deviation) from the median of the teams: the customary cut of Iglewicz and Hoaglin (1993).
_OUTLIER = Fraction(7, 2)
_MAD_TO_SD = Fraction(14826, 10000)
# Marks; below it teams that agree to the last digit would make outliers of everybody else.
_LEAST_SPREAD = Fraction(1, 20)
_LEAST_TEAMS = 4


def agreement(ratings: Sequence[Rating], challenge: Challenge) -> tuple[Agreement, ...]:
    """Krippendorff's alpha for ordinal marks, a language and dimension at a time; an item is one team's reply.

    Raises UsageError (E_USAGE) when the library is not installed.
    """
    groups: dict[tuple[str, str], list[Rating]] = defaultdict(list)
    for rating in ratings:
        groups[rating.language, rating.dimension].append(rating)
    return tuple(
        _agreement(language, dimension, group, challenge)
        for (language, dimension), group in sorted(
            groups.items(), key=lambda entry: (challenge.languages.index(entry[0][0]), entry[0][1])
        )
    )


def _agreement(language: str, dimension: str, ratings: Sequence[Rating], challenge: Challenge) -> Agreement:
    raters = sorted({rating.rater_id for rating in ratings})
    by_item: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for rating in ratings:
        by_item[rating.team, rating.dialogue_id][rating.rater_id] = rating.score
    paired = {item: marks for item, marks in by_item.items() if len(marks) > 1}
    alpha = None
    if len({mark for marks in paired.values() for mark in marks.values()}) > 1:
        scale = challenge.tasks[dimension.partition(".")[0]].scale
        alpha = _alpha([[paired[item].get(rater) for item in sorted(paired)] for rater in raters], scale)
    return Agreement(language, dimension, alpha, len(paired), len(raters), len(ratings))


def _alpha(marks: Sequence[Sequence[int | None]], scale: Sequence[int]) -> float:
    import numpy as np

    try:
        import krippendorff
    except ImportError as error:
        raise UsageError(
            "the agreement of raters needs the package krippendorff",
            code="E_USAGE",
            hint="pip install 'humdial-harness[report]'",
        ) from error
    data = np.array([[np.nan if mark is None else float(mark) for mark in row] for row in marks])
    domain = np.array(scale, dtype=float)
    return round(float(krippendorff.alpha(data, level_of_measurement="ordinal", value_domain=domain)), 6)


def disagreement(
    ratings: Sequence[Rating], judged: Mapping[str, Scores]
) -> tuple[tuple[Disagreement, ...], list[Finding]]:
    """The judge against the raters' means, a team at a time, over the marks that both gave; outliers as findings.

    ``judged`` maps teams to their items' scores. Outliers need at least four teams.
    """
    given: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for rating in ratings:
        given[rating.team, rating.language, rating.dimension, rating.dialogue_id].append(rating.score)
    differences: dict[str, list[Fraction]] = defaultdict(list)
    for (team, language, name, dialogue), marks in given.items():
        task, _, dimension = name.partition(".")
        mark = judged.get(team, {}).get((language, task, dimension, False), {}).get(dialogue)
        if mark is not None:
            differences[team].append(Fraction(mark) - Fraction(sum(marks), len(marks)))
    means = {team: sum(values, Fraction(0)) / len(values) for team, values in differences.items()}
    middle, far = _outliers(means)
    rows = tuple(
        Disagreement(
            team,
            len(differences[team]),
            round(float(means[team]), 6),
            round(float(sum(map(abs, differences[team]), Fraction(0)) / len(differences[team])), 6),
            team in far,
        )
        for team in sorted(means)
    )
    return rows, [
        finding("F_RATING_OUTLIER", team=team, difference=f"{float(means[team]):+.2f}", median=f"{float(middle):+.2f}")
        for team in sorted(far)
    ]


def _outliers(means: Mapping[str, Fraction]) -> tuple[Fraction, set[str]]:
    if len(means) < _LEAST_TEAMS:
        return Fraction(0), set()
    middle = median(means.values())
    spread = max(_LEAST_SPREAD, _MAD_TO_SD * median(abs(mean - middle) for mean in means.values()))
    return middle, {team for team, mean in means.items() if abs(mean - middle) > _OUTLIER * spread}
