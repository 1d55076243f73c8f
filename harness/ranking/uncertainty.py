"""How far the ranks can be trusted: a paired bootstrap of dialogues, the same draws for every team.

In each draw every stratum (task and language) gets as many dialogues as it has, with replacement; whatever a team got
for a drawn dialogue, in every dimension, counts as often as it was drawn. All finals are computed again, and ranked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness.challenge.spec import Challenge, Track, Uncertainty
from harness.documents.codec import canonical_json
from harness.documents.items import Scores
from harness.documents.leaderboard import Bootstrap, Separable
from harness.ranking.final import Phase
from harness.ranking.placing import Placing
from harness.ranking.strata import Matrix, Stratum, strata, terms_of

# Finals of a draw are compared in units of 1e-9: what is equal as a fraction is equal here, however it was added up.
_UNITS = 1e9
# About how many drawn dialogues are held at once.
_CHUNK = 2**23


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
    values = _values(parts, len(drawn), rules.draws, seed)
    finals = _weighted(drawn, values, challenge, track)
    level = rules.level
    intervals = {
        place.report.team: {
            name: _interval(draws[team], level, _observed(place, name))
            for name, draws in (("final", finals), *_columns(values))
            if not np.isnan(draws[team, 0]) and _observed(place, name) is not None
        }
        for team, place in enumerate(drawn)
    }
    teams = [place.report.team for place in drawn]
    compared = {teams[row]: np.rint(finals[row] * _UNITS).astype(np.int64) for row in range(len(teams))}
    ranked = [team for team in (place.report.team for place in scored) if team in ranks]
    separable = tuple(
        _pair(above, below, compared, rules)
        for above, below in pairwise(ranked)
        if above in compared and below in compared
    )
    bootstrap = Bootstrap(rules.draws, float(level), float(rules.close_p), seed, min(sizes), without)
    if not all(team in compared for team in ranked) or not ranked:
        return Doubt(bootstrap, intervals, separable=separable)
    matrix = np.array([compared[team] for team in ranked])
    drawn_ranks = _ranks(matrix)
    counts = {team: _counted(drawn_ranks[row]) for row, team in enumerate(ranked)}
    bootstrap = Bootstrap(rules.draws, float(level), float(rules.close_p), seed, min(sizes), without, counts)
    return Doubt(
        bootstrap,
        intervals,
        {team: _rank_interval(drawn_ranks[row], level, ranks[team]) for row, team in enumerate(ranked)},
        _groups(ranked, matrix, rules),
        separable,
    )


def _seed(parts: Sequence[Stratum], challenge: Challenge) -> str:
    """From the spec and the lists of dialogues, not from the scores: a team's interval stays what it is when another
    team enters the table."""
    plain = [challenge.digest, [[part.language, part.task, part.dialogues] for part in parts]]
    return hashlib.sha256(canonical_json(plain)).hexdigest()


def _counts(part: Stratum, draws: int, seed: str) -> npt.NDArray[np.int64]:
    """(dialogues, draws): how often each dialogue was drawn. From the raw bits of PCG64, which numpy promises never to
    change; the top 32 bits times n, shifted, is uniform but for n / 2^32."""
    n = len(part.dialogues)
    own = hashlib.sha256(f"{seed} {part.language} {part.task}".encode()).digest()
    generator = np.random.PCG64(int.from_bytes(own[:16], "big"))
    step = max(1, _CHUNK // n)
    blocks = []
    for start in range(0, draws, step):
        size = min(step, draws - start)
        raw: npt.NDArray[np.uint64] = generator.random_raw(size * n)
        chosen = ((raw >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)
        places = chosen.astype(np.int64) + np.repeat(np.arange(size, dtype=np.int64) * n, n)
        blocks.append(np.bincount(places, minlength=size * n).reshape(size, n).T)
    return np.concatenate(blocks, axis=1)


def _values(parts: Sequence[Stratum], teams: int, draws: int, seed: str) -> dict[tuple[str, str], Matrix]:
    """(language, term) to (teams, draws): the term's value in each draw, NaN for teams that lack it."""
    values: dict[tuple[str, str], Matrix] = {}
    for part in parts:
        if not part.shares:
            continue
        totals = part.matrix @ _counts(part, draws, seed).astype(np.float64)
        for share in part.shares:
            key = (part.language, share.term)
            if key not in values:
                values[key] = np.full((teams, draws), np.nan)
            target = values[key]
            if share.n is not None:
                target[share.team] = totals[share.rows[0]] / share.n
                continue
            pairs = list(zip(share.rows[::2], share.rows[1::2], strict=True))
            mean = np.zeros(draws)
            for scores, counted in pairs:
                # A draw can miss every counted dialogue; then the observed mean stands in.
                observed = part.matrix[scores].sum() / part.matrix[counted].sum()
                n = totals[counted]
                mean += np.where(n > 0, totals[scores] / np.maximum(n, 1), observed)
            target[share.team] = mean / (len(pairs) * share.scale)
    return values


def _weighted(
    placings: Sequence[Placing], values: Mapping[tuple[str, str], Matrix], challenge: Challenge, track: Track
) -> Matrix:
    """(teams, draws): the finals, with the weights of what each team has scaled to 1, as in `standing`."""
    terms = terms_of(challenge, track)
    finals = np.zeros(next(iter(values.values())).shape)
    for team, place in enumerate(placings):
        shares: dict[tuple[str, str], Fraction] = {}
        for language, term in values:
            task, dimensions = terms[term]
            used = [name for name in dimensions if place.columns.get(f"{language}.{task}.{name}") is not None]
            weight = track.language_weights[language] * track.terms[term]
            shares[language, term] = weight * len(used) / len(dimensions)
        whole = sum(shares.values(), Fraction(0))
        for key, share in shares.items():
            if share:
                finals[team] += float(share / whole) * values[key][team]
    return finals


def _columns(values: Mapping[tuple[str, str], Matrix]) -> list[tuple[str, Matrix]]:
    return [
        (f"{language}.{term}" if "." in term else f"{language}.{term}.avg", draws)
        for (language, term), draws in values.items()
    ]


def _observed(place: Placing, name: str) -> Fraction | None:
    return place.final if name == "final" else place.columns.get(name)


def _ends(draws: int, level: Fraction) -> tuple[int, int]:
    """The places, among sorted draws, of the percentile interval's ends."""
    tail = (1 - level) / 2
    return math.floor(tail * draws), math.ceil((1 - tail) * draws) - 1


def _interval(draws: Matrix, level: Fraction, observed: Fraction | None) -> tuple[float, float]:
    """Percentiles of the draws (order statistics, no interpolation), never without the observed value; to 6 places."""
    low, high = _ends(len(draws), level)
    ordered = np.partition(draws, (low, high))
    value = float(observed or 0)
    return min(round(float(ordered[low]), 6), value), max(round(float(ordered[high]), 6), value)


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


def _rank_interval(ranks: npt.NDArray[np.int64], level: Fraction, observed: int) -> tuple[int, int]:
    low, high = _ends(len(ranks), level)
    ordered = np.sort(ranks)
    return min(int(ordered[low]), observed), max(int(ordered[high]), observed)


def _counted(ranks: npt.NDArray[np.int64]) -> dict[str, int]:
    found, counts = np.unique(ranks, return_counts=True)
    return {str(rank): int(count) for rank, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _p(not_above: int, draws: int) -> Fraction:
    """Two-sided, from how many draws do not have the upper team above; never 0, for draws are finite."""
    return min(Fraction(1), Fraction(2 * (1 + not_above), draws + 1))


def _pair(above: str, below: str, values: Mapping[str, npt.NDArray[np.int64]], rules: Uncertainty) -> Separable:
    p = _p(int(np.count_nonzero(values[above] <= values[below])), rules.draws)
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
