"""The values of every team in every draw, a block of draws at a time, so that memory grows neither with the draws nor
with the teams. What is kept of the blocks are the ends of the intervals.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from harness.ranking.strata import Matrix, Stratum

# About how many numbers of one kind (drawn dialogues, values of a term) are held at once.
_HELD = 2**18
# Below this many draws a block the work between the blocks costs more than the work in them.
_LEAST = 250
Counts = npt.NDArray[np.int64]


def blocks(draws: int, rows: int) -> list[int]:
    """``draws`` in parts for matrices of so many ``rows``."""
    size = max(_LEAST, _HELD // max(1, rows))
    return [min(size, draws - start) for start in range(0, draws, size)]


def drawn(part: Stratum, seed: str, sizes: Sequence[int]) -> Iterator[Counts]:
    """(dialogues, size) for each of ``sizes``: how often each dialogue was drawn. From the raw bits of PCG64, which
    numpy promises never to change; the top 32 bits times n, shifted, is uniform but for n / 2^32."""
    n = len(part.dialogues)
    own = hashlib.sha256(f"{seed} {part.language} {part.task}".encode()).digest()
    generator = np.random.PCG64(int.from_bytes(own[:16], "big"))
    for size in sizes:
        raw: npt.NDArray[np.uint64] = generator.random_raw(size * n)
        chosen = ((raw >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)
        places = chosen.astype(np.int64) + np.repeat(np.arange(size, dtype=np.int64) * n, n)
        yield np.bincount(places, minlength=size * n).reshape(size, n).T


def drawn_values(
    parts: Sequence[Stratum], teams: int, draws: int, seed: str
) -> Iterator[dict[tuple[str, str], Matrix]]:
    """A block of draws after the other: (language, term) to (teams, size), the term's value in each draw, NaN for
    teams that lack it."""
    used = [part for part in parts if part.shares]
    rows = max(max(len(part.dialogues), len(part.matrix)) for part in used)
    sizes = blocks(draws, rows)
    counts = [drawn(part, seed, sizes) for part in used]
    for size in sizes:
        values: dict[tuple[str, str], Matrix] = {}
        for part, source in zip(used, counts, strict=True):
            _add_values(values, part, next(source), teams, size)
        yield values


def _add_values(values: dict[tuple[str, str], Matrix], part: Stratum, counts: Counts, teams: int, size: int) -> None:
    totals = part.matrix @ counts.astype(np.float64)
    for share in part.shares:
        key = (part.language, share.term)
        if key not in values:
            values[key] = np.full((teams, size), np.nan)
        target = values[key]
        if share.n is not None:
            target[share.team] = totals[share.rows[0]] / share.n
            continue
        pairs = list(zip(share.rows[::2], share.rows[1::2], strict=True))
        mean = np.zeros(size)
        for scores, counted in pairs:
            # A draw can miss every counted dialogue; then the observed mean stands in.
            observed = part.matrix[scores].sum() / part.matrix[counted].sum()
            n = totals[counted]
            mean += np.where(n > 0, totals[scores] / np.maximum(n, 1), observed)
        target[share.team] = mean / (len(pairs) * share.scale)


def ends(draws: int, level: Fraction) -> tuple[int, int]:
    """The places, among sorted draws, of the percentile interval's ends."""
    tail = (1 - level) / 2
    return math.floor(tail * draws), math.ceil((1 - tail) * draws) - 1


class Tails:
    """The lowest and the highest draws of every team that have been added so far: as many as the ends of an interval
    need (order statistics, no interpolation)."""

    def __init__(self, draws: int, level: Fraction) -> None:
        low, high = ends(draws, level)
        self._few = (low + 1, draws - high)
        self._low: Matrix | None = None
        self._high: Matrix | None = None

    def add(self, block: Matrix) -> None:
        """``block`` is (teams, draws)."""
        low = block if self._low is None else np.concatenate((self._low, block), axis=1)
        high = block if self._high is None else np.concatenate((self._high, block), axis=1)
        fewest, most = self._few
        width = low.shape[1]
        self._low = np.partition(low, fewest - 1, axis=1)[:, :fewest].copy() if width > fewest else low.copy()
        width = high.shape[1]
        self._high = np.partition(high, width - most, axis=1)[:, width - most :].copy() if width > most else high.copy()

    def of(self, team: int) -> tuple[float, float] | None:
        """The ends of a team's interval; None when it has no values."""
        if self._low is None or self._high is None or np.isnan(self._low[team, 0]):
            return None
        return float(self._low[team].max()), float(self._high[team].min())


def weighted(weights: Sequence[Mapping[tuple[str, str], float]], values: Mapping[tuple[str, str], Matrix]) -> Matrix:
    """(teams, draws): the sums of each team's terms by its own ``weights``, added in the order of ``values``."""
    finals = np.zeros(next(iter(values.values())).shape)
    for team, mine in enumerate(weights):
        for key, draws in values.items():
            if mine.get(key):
                finals[team] += mine[key] * draws[team]
    return finals
