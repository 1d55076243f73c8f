"""Human ratings: lines of a CSV, strictly read, and what a check of them says."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.documents.codes import finding
from harness.documents.finding import Finding

COLUMNS = ("team", "language", "dialogue_id", "rater_id", "dimension", "score")
_RATER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class RatingLine:
    """One line as it stands in ``file``: nothing but its columns has been checked."""

    file: str
    line: int
    team: str
    language: str
    dialogue_id: str
    rater_id: str
    dimension: str
    score: str

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class Rating:
    """One rater's mark of one dimension ("task.dimension") of one team's reply; every field is known to be right."""

    team: str
    language: str
    dialogue_id: str
    rater_id: str
    dimension: str
    score: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha (ordinal) of one dimension in one language; None where no item has two ratings or all
    ratings are equal. ``items`` counts the items with at least two."""

    language: str
    dimension: str
    alpha: float | None
    items: int
    raters: int
    ratings: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The judge against the mean of the raters, over ``n`` marks of one team that both gave. ``difference`` is judge
    minus raters; ``outlier``: far from the other teams' differences."""

    team: str
    n: int
    difference: float
    absolute: float
    outlier: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingsReport:
    """schemas/ratings-report: the answer of `humdial ratings check`."""

    schema_version: int = 1
    valid: bool
    findings: tuple[Finding, ...]
    truncated: int
    ratings: int
    raters: int
    teams: int
    agreement: tuple[Agreement, ...] = field(default_factory=tuple)
    disagreement: tuple[Disagreement, ...] = field(default_factory=tuple)


def parse_ratings(data: bytes, file: str) -> tuple[list[RatingLine], list[Finding]]:
    """The lines of one CSV, columns in any order. A file that is none gives E_RATING_FILE and no lines."""

    def refused(what: str, line: int | None = None) -> tuple[list[RatingLine], list[Finding]]:
        return [], [finding("E_RATING_FILE", file=file, line=line, what=what)]

    try:
        text = data.decode("utf-8-sig")  # spreadsheets put a byte order mark there
    except UnicodeDecodeError as error:
        return refused(f"byte {error.start + 1} is not UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[RatingLine] = []
    try:
        header = next(reader, [])
        if sorted(header) != sorted(COLUMNS):
            return refused(f"its columns are {','.join(header)[:_LONGEST]!r}", 1)
        order = [header.index(name) for name in COLUMNS]
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(COLUMNS):
                return refused(f"{len(cells)} cells where there are {len(COLUMNS)} columns", reader.line_num)
            lines.append(RatingLine(file, reader.line_num, *(cells[place] for place in order)))
    except csv.Error as error:
        return refused(str(error), reader.line_num)
    return lines, []


def is_rater(name: str) -> bool:
    return _RATER.fullmatch(name) is not None


def ratings_csv(ratings: Iterable[Rating]) -> bytes:
    """Sorted, so that the same ratings give the same bytes; dimensions without their task, as in the rules."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for rating in sorted(ratings, key=_order):
        dimension = rating.dimension.partition(".")[2]
        writer.writerow([rating.team, rating.language, rating.dialogue_id, rating.rater_id, dimension, rating.score])
    return stream.getvalue().encode()


def _order(rating: Rating) -> tuple[str, str, str, str, str]:
    return (rating.team, rating.language, rating.dialogue_id, rating.dimension, rating.rater_id)
