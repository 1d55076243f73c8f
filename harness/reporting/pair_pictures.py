"""Geometry of the organisers' time lines: one pair, four rows, with what can be heard beside it. Plain numbers."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from harness.documents.published import ShownPair, Spans
from harness.reporting.charts import Tick, nice_steps
from harness.reporting.hostile_text import visible

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 860, 110, 56, 26, 26, 16
_ROWS = (("user", "user"), ("model", "model"), ("stop", "stop"), ("response", "response gap"))
_NAME = 80


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval; ``length`` is what stands beside it, empty for plain speech; ``told`` is for a pointer."""

    x: float
    width: float
    length: str
    told: str


@dataclass(frozen=True, slots=True)
class PairRow:
    kind: str
    label: str
    y: float
    bars: tuple[Bar, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class PairPicture:
    """``x = left + seconds · scale``. ``facts`` is the caption's second half, ``audio`` a data address or empty."""

    name: str
    facts: str
    described: str
    width: int
    height: int
    left: int
    right: int
    scale: float
    seconds: float
    ticks: tuple[Tick, ...]
    rows: tuple[PairRow, ...]
    notes: tuple[str, ...]
    audio: str


@dataclass(frozen=True, slots=True)
class CasePictures:
    """The pairs of one scenario, in every language."""

    heading: str
    pairs: tuple[PairPicture, ...]

    @property
    def count(self) -> int:
        return len(self.pairs)


def case_pictures(pairs: Iterable[ShownPair]) -> tuple[CasePictures, ...]:
    """Pictures by scenario, in the order of the pairs."""
    by_case: dict[str, list[PairPicture]] = {}
    for pair in pairs:
        by_case.setdefault(pair.case, []).append(pair_picture(pair))
    return tuple(CasePictures(case.replace("_", " "), tuple(drawn)) for case, drawn in by_case.items())


def pair_picture(pair: ShownPair) -> PairPicture:
    seconds = max(pair.duration_s, 0.1)
    scale = (WIDTH - LEFT - RIGHT) / seconds
    rows = tuple(
        _row(kind, label, getattr(pair, kind), TOP + ROW * number, scale) for number, (kind, label) in enumerate(_ROWS)
    )
    ticks = [value for value in nice_steps(0.0, seconds, 10) if value <= seconds]
    name = visible(pair.file, _NAME)
    audio = "" if pair.audio is None else f"data:audio/flac;base64,{base64.b64encode(pair.audio).decode()}"
    return PairPicture(
        name=name,
        facts=_facts(pair),
        described=f"Time line of {name}: " + "; ".join(_told(label, getattr(pair, kind)) for kind, label in _ROWS),
        width=WIDTH,
        height=TOP + ROW * len(_ROWS),
        left=LEFT,
        right=WIDTH - RIGHT,
        scale=round(scale, 4),
        seconds=seconds,
        ticks=tuple(Tick(_at(value, scale), f"{value:g} s") for value in ticks),
        rows=rows,
        notes=pair.notes,
        audio=audio,
    )


def _at(seconds: float, scale: float) -> float:
    return round(LEFT + seconds * scale, 2)


def _row(kind: str, label: str, spans: Spans | None, y: float, scale: float) -> PairRow:
    speech = kind in ("user", "model")
    bars = tuple(
        Bar(
            _at(start, scale),
            max(round((end - start) * scale, 2), 0.5),
            "" if speech else f"{end - start:.3f} s",
            f"{label} {start:.3f}–{end:.3f} s, {end - start:.3f} s long",
        )
        for start, end in spans or ()
    )
    empty = "" if bars else "not measured" if spans is None else "no speech" if speech else "none"
    return PairRow(kind, label, y, bars, empty)


def _facts(pair: ShownPair) -> str:
    delay = "no first response" if pair.delay_s is None else f"first response after {pair.delay_s:.3f} s"
    labels = "no label" if not pair.labels else " → ".join(visible(label, _NAME) for label in pair.labels)
    return f"{pair.language} · {labels} · {delay}"


def _told(label: str, spans: Spans | None) -> str:
    if spans is None:
        return f"{label} not measured"
    return f"{label} " + (", ".join(f"{start:.3f} to {end:.3f} s" for start, end in spans) or "none")
