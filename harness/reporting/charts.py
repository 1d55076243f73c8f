"""Geometry of the report's pictures: plain numbers for the SVG templates, rounded, so that the bytes are stable.

The SVG is drawn by templates rather than by a plotting library: it takes its colours from the page (light and dark),
its text stays text, and a picture of a hundred teams is a few kilobytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.documents.leaderboard import Leaderboard, Row

_WIDTH = 560
_LEFT = 150
_RIGHT = 20
_TOP = 26
_ROW = 20
_LABEL = 20
_SHOWN_SHARE = 0.005
_HEATED = 40


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot at (x, y), its interval from ``low`` to ``high`` (None: there is none), a number for its colour, what a
    pointer is told."""

    x: float
    y: float
    low: float | None
    high: float | None
    series: int
    told: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a picture: a team."""

    y: float
    label: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Dots:
    """Dots with intervals, a row a team."""

    title: str
    width: int
    height: float
    left: int
    right: float
    ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    series: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    x: float
    y: float
    width: float
    opacity: float
    told: str


@dataclass(frozen=True, slots=True)
class Heat:
    """In how many draws a team had which rank."""

    width: int
    height: float
    ticks: tuple[Tick, ...]
    lines: tuple[tuple[float, str], ...]
    cells: tuple[Cell, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    label: str
    anchor: str
    told: str
    baseline: bool


@dataclass(frozen=True, slots=True)
class Scatter:
    width: int
    height: int
    left: int
    bottom: int
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]


def nice_steps(low: float, high: float, at_most: int = 6) -> list[float]:
    """Round numbers that reach over low … high."""
    span = max(high - low, 1e-9)
    step = 10.0 ** math.floor(math.log10(span / at_most))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if span / (step * factor) <= at_most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _short(team: str) -> str:
    return team if len(team) <= _LABEL else team[: _LABEL - 1] + "…"


class _Axis:
    """Values to pixels along one direction, with its ticks."""

    def __init__(self, values: Sequence[float], start: float, end: float, ticks: Sequence[float] | None = None) -> None:
        self._marks = list(ticks or nice_steps(min(values), max(values)))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        low, high = self._marks[0], self._marks[-1]
        return round(self._start + (value - low) / (high - low) * (self._end - self._start), 1)

    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(self.at(mark), f"{mark:g}") for mark in self._marks)


def interval_dots(title: str, rows: Sequence[Row], columns: Mapping[str, str]) -> Dots | None:
    """One picture of a column, or of the same column in several languages: ``columns`` maps a series to a column.
    None where no row has a value."""
    found: list[tuple[Row, list[tuple[int, float, tuple[float, float] | None, str]]]] = []
    for row in rows:
        entries = []
        for series, (name, column) in enumerate(columns.items()):
            value = row.final if column == "final" else row.columns.get(column)
            if value is not None:
                ends = (row.ci or {}).get(column)
                told = f"{row.team} {name}: {row.display.get(column, '')}".replace(" :", ":")
                entries.append((series, value, ends, told + (f" [{ends[0]:.3g}, {ends[1]:.3g}]" if ends else "")))
        found.append((row, entries))
    values = [v for _, entries in found for _, value, ends, _ in entries for v in (value, *(ends or ()))]
    if not values:
        return None
    axis = _Axis(values, _LEFT, _WIDTH - _RIGHT)
    lines = []
    for number, (row, entries) in enumerate(found):
        y = _TOP + _ROW * (number + 0.5)
        spread = 6 / max(1, len(columns))
        marks = tuple(
            Mark(
                axis.at(value),
                round(y + spread * (series - (len(columns) - 1) / 2), 1),
                axis.at(ends[0]) if ends else None,
                axis.at(ends[1]) if ends else None,
                series,
                told,
            )
            for series, value, ends, told in entries
        )
        lines.append(Line(round(y, 1), _short(row.team), marks))
    height = _TOP + _ROW * len(lines) + 4
    names = tuple(columns) if len(columns) > 1 else ()
    return Dots(title, _WIDTH, height, _LEFT, _WIDTH - _RIGHT, axis.ticks(), tuple(lines), names)


def rank_dots(rows: Sequence[Row]) -> Dots | None:
    """Ranks with their intervals; None where there are none."""
    ranked = [row for row in rows if row.rank is not None and row.rank_low is not None and row.rank_high is not None]
    if not ranked:
        return None
    last = max(row.rank_high or 1 for row in ranked)
    steps = [mark for mark in nice_steps(1, max(last, 2)) if mark > 0 and mark == int(mark)]
    axis = _Axis([1, last], _LEFT, _WIDTH - _RIGHT, sorted({1.0, *steps}))
    lines = []
    for number, row in enumerate(ranked):
        y = round(_TOP + _ROW * (number + 0.5), 1)
        low, high, rank = row.rank_low or 1, row.rank_high or 1, row.rank or 1
        mark = Mark(axis.at(rank), y, axis.at(low), axis.at(high), 0, f"{row.team}: rank {rank} ({low} to {high})")
        lines.append(Line(y, _short(row.team), (mark,)))
    return Dots("Rank", _WIDTH, _TOP + _ROW * len(lines) + 4, _LEFT, _WIDTH - _RIGHT, axis.ticks(), tuple(lines))


def rank_heat(board: Leaderboard) -> Heat | None:
    """The share of draws in which each of the first teams had each rank; None where nothing was drawn."""
    drawn = board.bootstrap
    if drawn is None or not drawn.rank_counts:
        return None
    ranked = [row for row in board.rows if row.rank is not None]
    shown = ranked[:_HEATED]
    shares = {
        row.team: {int(rank): count / drawn.draws for rank, count in drawn.rank_counts[row.team].items()}
        for row in shown
    }
    last = max(rank for own in shares.values() for rank, share in own.items() if share >= _SHOWN_SHARE)
    step = round((_WIDTH - _LEFT - _RIGHT) / last, 2)
    cells = tuple(
        Cell(
            round(_LEFT + step * (rank - 1), 1),
            _TOP + _ROW * number + 1,
            round(step - 0.6, 2),
            round(share, 3),
            f"{row.team}: rank {rank} in {100 * share:.1f} % of the draws",
        )
        for number, row in enumerate(shown)
        for rank, share in sorted(shares[row.team].items())
        if share >= _SHOWN_SHARE
    )
    every = max(1, math.ceil(last / 20))
    ticks = tuple(
        Tick(round(_LEFT + step * (rank - 0.5), 1), str(rank))
        for rank in range(1, last + 1)
        if rank % every == 0 or rank == 1
    )
    lines = tuple((_TOP + _ROW * (number + 0.5), _short(row.team)) for number, row in enumerate(shown))
    return Heat(_WIDTH, _TOP + _ROW * len(shown) + 4, ticks, lines, cells, len(ranked) - len(shown))


def latency_scatter(rows: Sequence[Row]) -> Scatter | None:
    """Track 2: the mean of interruption and rejection against the total delay; None without both."""
    found = [
        (row, delay, (interruption + rejection) / 2)
        for row in rows
        if (delay := row.columns.get("total_delay_s")) is not None
        and (interruption := row.columns.get("interruption")) is not None
        and (rejection := row.columns.get("rejection")) is not None
    ]
    if not found:
        return None
    width, height, left, bottom = 720, 380, 60, 330
    x = _Axis([delay for _, delay, _ in found], left, width - 40)
    y = _Axis([score for _, _, score in found], bottom, 20)
    points = tuple(
        Point(
            x.at(delay),
            y.at(score),
            _short(row.team),
            "end" if x.at(delay) > width - 160 else "start",
            f"{row.team}: {row.display['total_delay_s']} s, interruption {row.display['interruption']}, "
            f"rejection {row.display['rejection']}",
            row.baseline,
        )
        for row, delay, score in found
    )
    return Scatter(width, height, left, bottom, x.ticks(), y.ticks(), points)
