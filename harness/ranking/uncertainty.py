"""How far the ranks can be trusted: a paired bootstrap of dialogues, the same draws for every team.

In each draw every stratum (task and language) gets as many dialogues as it has, with replacement; whatever a team got
for a drawn dialogue, in every dimension, counts as often as it was drawn. All finals are computed again, and ranked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness.challenge.spec import Challenge, Track, Uncertainty
from harness.documents.codec import canonical_json
from harness.documents.items import Scores
from harness.documents.leaderboard import Bootstrap, Separable
from harness.ranking.draws import Tails, blocks, drawn_values, ends, weighted
from harness.ranking.final import Phase
from harness.ranking.placing import Placing
from harness.ranking.strata import Matrix, Stratum, strata, terms_of

# Finals of a draw are compared in units of 1e-9: what is equal as a fraction is equal here, however it was added up.
_UNITS = 1e9


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the draws say. ``intervals``: team to column ("final", "zh", "zh.task2.avg") to its interval; ``ranks``:
    team to the ends of its rank's interval; ``groups``: team to its letter."""

    bootstrap: Bootstrap | None = None
    intervals: dict[str, dict[str, tuple[float, float]]] | None = None
    ranks: dict[str, tuple[int, int]] | None = None
    groups: dict[str, str] | None = None
    separable: tuple[Separable, ...] = ()


def doubt(
    placings: Sequence[Placing],
    ranks: Mapping[str, int],
    items: Mapping[str, Scores],
    challenge: Challenge,
    track: Track,
    phase: Phase,
) -> Doubt:
    """Intervals, rank intervals, tie groups and neighbours' p-values; ``placings`` in the order of the table.

    Intervals are for teams whose items are stored. Ranks of a draw need all ranked teams, so rank intervals and groups
    are absent while one of them has no items; neighbours are compared where both have. Nothing is drawn when a
    stratum has fewer than two dialogues, or the spec has no [uncertainty].
    Raises MachineError (E_SCORE) when items do not add up to a report.
    """
    scored = [place for place in placings if place.final is not None]
    drawn = [place for place in scored if place.report.team in items]
    without = tuple(place.report.team for place in scored if place.report.team not in items)
    rules = challenge.uncertainty
    if rules is None or not drawn:
        return Doubt()
    parts = strata(drawn, items, challenge, track, phase)
    sizes = [len(part.dialogues) for part in parts if part.shares]
    if min(sizes, default=0) < 2:
        return Doubt()
    seed = _seed(parts, challenge)
    finals, tails = _draw(drawn, parts, seed, rules, challenge, track)
    intervals = _intervals(drawn, tails)
    row_of = {place.report.team: row for row, place in enumerate(drawn)}
    ranked = [team for team in (place.report.team for place in scored) if team in ranks]
    separable = tuple(
        _pair(above, below, finals[row_of[above]], finals[row_of[below]], rules)
        for above, below in pairwise(ranked)
        if above in row_of and below in row_of
    )
    bootstrap = Bootstrap(rules.draws, float(rules.level), float(rules.close_p), seed, min(sizes), without)
    if not all(team in row_of for team in ranked) or not ranked:
        return Doubt(bootstrap, intervals, separable=separable)
    rows = [row_of[team] for team in ranked]
    matrix = finals if rows == list(range(len(finals))) else finals[rows]
    counts = _rank_counts(matrix)
    return Doubt(
        replace(bootstrap, rank_counts={team: _counted(counts[row]) for row, team in enumerate(ranked)}),
        intervals,
        {team: _rank_interval(counts[row], rules.level, ranks[team]) for row, team in enumerate(ranked)},
        _groups(ranked, matrix, rules),
        separable,
    )


def _draw(
    placings: Sequence[Placing],
    parts: Sequence[Stratum],
    seed: str,
    rules: Uncertainty,
    challenge: Challenge,
    track: Track,
) -> tuple[npt.NDArray[np.int64], dict[str, Tails]]:
    """(teams, draws): the finals in units; and of each column the ends of its intervals."""
    weights = _weights(placings, parts, challenge, track)
    finals = np.empty((len(placings), rules.draws), dtype=np.int64)
    tails: dict[str, Tails] = {}
    start = 0
    for values in drawn_values(parts, len(placings), rules.draws, seed):
        final = weighted(weights, values)
        finals[:, start : start + final.shape[1]] = np.rint(final * _UNITS)
        start += final.shape[1]
        for name, draws in (("final", final), *_columns(values)):
            tails.setdefault(name, Tails(rules.draws, rules.level)).add(draws)
    return finals, tails


def _seed(parts: Sequence[Stratum], challenge: Challenge) -> str:
    """From the spec and the lists of dialogues, not from the scores: a team's interval stays what it is when another
    team enters the table."""
    plain = [challenge.digest, [[part.language, part.task, part.dialogues] for part in parts]]
    return hashlib.sha256(canonical_json(plain)).hexdigest()


def _weights(
    placings: Sequence[Placing], parts: Sequence[Stratum], challenge: Challenge, track: Track
) -> list[dict[tuple[str, str], float]]:
    """Of each team the weights of what it has, scaled to 1, as in `standing`; by language and term."""
    terms = terms_of(challenge, track)
    present = dict.fromkeys((part.language, share.term) for part in parts for share in part.shares)
    found = []
    for place in placings:
        shares: dict[tuple[str, str], Fraction] = {}
        for language, term in present:
            task, dimensions = terms[term]
            used = [name for name in dimensions if place.columns.get(f"{language}.{task}.{name}") is not None]
            weight = track.language_weights[language] * track.terms[term]
            shares[language, term] = weight * len(used) / len(dimensions)
        whole = sum(shares.values(), Fraction(0))
        found.append({key: float(share / whole) for key, share in shares.items()})
    return found


def _columns(values: Mapping[tuple[str, str], Matrix]) -> list[tuple[str, Matrix]]:
    return [
        (f"{language}.{term}" if "." in term else f"{language}.{term}.avg", draws)
        for (language, term), draws in values.items()
    ]


def _observed(place: Placing, name: str) -> Fraction | None:
    return place.final if name == "final" else place.columns.get(name)


def _interval(found: tuple[float, float], observed: Fraction) -> tuple[float, float]:
    """Percentiles of the draws, never without the observed value; to 6 places."""
    value = float(observed)
    return min(round(found[0], 6), value), max(round(found[1], 6), value)


def _intervals(placings: Sequence[Placing], tails: Mapping[str, Tails]) -> dict[str, dict[str, tuple[float, float]]]:
    intervals: dict[str, dict[str, tuple[float, float]]] = {}
    for team, place in enumerate(placings):
        mine = intervals[place.report.team] = {}
        for name, tail in tails.items():
            found, observed = tail.of(team), _observed(place, name)
            if found is not None and observed is not None:
                mine[name] = _interval(found, observed)
    return intervals


def _ranks(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(teams, draws): one more than how many teams are better in that draw."""
    order = np.argsort(-matrix, axis=0, kind="stable")
    ordered = np.take_along_axis(matrix, order, axis=0)
    place = np.broadcast_to(np.arange(len(matrix))[:, None], matrix.shape)
    starts = np.ones(matrix.shape, dtype=bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=0)
    ranks = np.empty_like(matrix)
    np.put_along_axis(ranks, order, first + 1, axis=0)
    return ranks


def _rank_counts(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(teams, teams + 1): in how many draws each team had each rank."""
    teams, start = len(matrix), 0
    found = np.zeros((teams, teams + 1), dtype=np.int64)
    for size in blocks(matrix.shape[1], teams):
        ranks = _ranks(matrix[:, start : start + size])
        for row in range(teams):
            found[row] += np.bincount(ranks[row], minlength=teams + 1)
        start += size
    return found


def _rank_interval(counts: npt.NDArray[np.int64], level: Fraction, observed: int) -> tuple[int, int]:
    low, high = ends(int(counts.sum()), level)
    reached = np.cumsum(counts)  # in how many draws it had this rank or a better one
    found = (int(np.searchsorted(reached, place, side="right")) for place in (low, high))
    return min(next(found), observed), max(next(found), observed)


def _counted(counts: npt.NDArray[np.int64]) -> dict[str, int]:
    return {str(rank): int(counts[rank]) for rank in np.flatnonzero(counts).tolist()}


def _p(not_above: int, draws: int) -> Fraction:
    """Two-sided, from how many draws do not have the upper team above; never 0, for draws are finite."""
    return min(Fraction(1), Fraction(2 * (1 + not_above), draws + 1))


def _pair(
    above: str, below: str, upper: npt.NDArray[np.int64], lower: npt.NDArray[np.int64], rules: Uncertainty
) -> Separable:
    p = _p(int(np.count_nonzero(upper <= lower)), rules.draws)
    return Separable(above, below, round(float(p), 6), p >= rules.close_p)


def _groups(ranked: Sequence[str], matrix: npt.NDArray[np.int64], rules: Uncertainty) -> dict[str, str]:
    """Letters from the top: a new one begins where every team above is told apart from every team below."""
    unclear = 0  # the lowest row that some row above is not told apart from
    letters: dict[str, str] = {}
    group = -1
    for row, team in enumerate(ranked):
        if row == 0 or row > unclear:
            group += 1
        letters[team] = _letter(group)
        first = max(row, unclear) + 1  # those above it are known to be in one group already
        below = np.count_nonzero(matrix[row] <= matrix[first:], axis=1).tolist()
        alike = [first + place for place, count in enumerate(below) if _p(count, rules.draws) >= rules.close_p]
        unclear = max([unclear, row, *alike])
    return letters


def _letter(number: int) -> str:
    """a … z, aa, ab …"""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
