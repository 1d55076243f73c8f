"""The HTML report: one file that needs nothing else, for everybody or for the organisers.

Everything a team wrote is escaped twice over: characters that steer become visible, and the template escapes what is
left. The page forbids itself every load and every script but its own, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness import __version__
from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Row
from harness.documents.published import FlaggedItem, Table
from harness.documents.report import ITEM_STATES
from harness.errors import UsageError
from harness.reporting import charts
from harness.reporting.hostile_text import visible
from harness.reporting.leaderboard import (
    NOTHING,
    below_table,
    footer,
    in_table,
    interval,
    level_of,
    marks,
    rank_interval,
    render,
    term_columns,
    title,
)
from harness.reporting.pair_pictures import CasePictures, case_pictures

if TYPE_CHECKING:
    from jinja2 import Environment

Audience = Literal["public", "organiser"]
TEMPLATES = Path(__file__).resolve().parent / "templates"
_NAME = 60


@dataclass(frozen=True, slots=True)
class Losses:
    """What became of the items behind one mean: ``counts`` in the order of the section's states."""

    language: str
    task: str
    dimension: str
    mean: str
    n: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TeamSection:
    row: Row
    name: str
    system: str
    marks: str
    losses: tuple[Losses, ...]
    flagged: tuple[FlaggedItem, ...]
    cases: tuple[CasePictures, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One track, ready for the template."""

    table: Table
    title: str
    headings: tuple[tuple[str, str], ...]
    teams: tuple[TeamSection, ...]
    below: tuple[tuple[str, str], ...]
    states: tuple[str, ...]
    conditions: tuple[str, ...]
    pictures: Mapping[str, Any]
    downloads: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, str, str], ...]
    human: tuple[str, ...]


def render_report(tables: Sequence[Table], challenge: Challenge, audience: Audience) -> bytes:
    """The report of one or several tracks as UTF-8 HTML; the same tables give the same bytes.

    For ``public`` nothing of a single item is in it, whatever the tables hold; for ``organiser`` each team has its
    flagged items (identifiers, states and flags, no text) and its pairs on their time lines with what can be heard.
    Raises UsageError (E_USAGE) when jinja2 is not installed.
    """
    if audience == "public":
        tables = [replace(table, flagged=None, pairs=None) for table in tables]
    sections = [_section(table, challenge) for table in tables]
    heard = any(pair.audio for each in sections for team in each.teams for case in team.cases for pair in case.pairs)
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("report.css", "report.js"))
    page = environment().get_template("report.html.j2")
    return page.render(
        sections=sections,
        challenge=challenge,
        organiser=audience == "organiser",
        version=__version__,
        style=style,
        script=script,
        policy_csp=content_policy(style, script, *(["media-src data:"] if heard else [])),
        NOTHING=NOTHING,
        interval=interval,
        rank_interval=rank_interval,
        level_of=level_of,
    ).encode()


def environment() -> Environment:
    """Templates that escape everything and stop at what they do not know."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise UsageError(
            "the HTML report needs the package jinja2", code="E_USAGE", hint="pip install 'humdial-harness[report]'"
        ) from error
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["literal"] = lambda text: visible(str(text), 400)
    return found


def content_policy(style: str, script: str, *more: str) -> str:
    """A Content-Security-Policy that allows this style and this script, and no load at all."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    rules = [f"style-src 'sha256-{hashes[0]}'", f"script-src 'sha256-{hashes[1]}'", "base-uri 'none'", *more]
    return "; ".join(["default-src 'none'", *rules, "form-action 'none'"])


def _section(table: Table, challenge: Challenge) -> Section:
    board, track = table.board, challenge.tracks[table.board.track]
    columns = term_columns(board, challenge, judged_only=True)
    seen = {state for row in board.rows for behind in row.behind.values() for state, n in behind.counts.items() if n}
    # Every kind of loss has its column, also when it did not occur: a zero is a statement.
    states = ITEM_STATES if seen else ()
    return Section(
        table=table,
        title=title(board, challenge),
        headings=tuple((name, _heading(name)) for name in [*track.language_weights, *columns]),
        teams=tuple(_team(row, table, states) for row in board.rows if _told_of(row, table)),
        below=tuple((row.team, "; ".join(row.notes) or "no final score") for row in below_table(board)),
        states=states,
        conditions=tuple(footer(board, challenge)),
        pictures=_pictures(table, challenge, columns),
        downloads=tuple(
            (f"leaderboard-{board.track}.{name}", _data_uri(render(board, challenge, name), kind))
            for name, kind in (("csv", "text/csv"), ("json", "application/json"))
        ),
        weights=tuple((term, _heading(term), str(weight)) for term, weight in track.terms.items()),
        human=track.human.get(board.phase, ()),
    )


def _told_of(row: Row, table: Table) -> bool:
    """Whether there is more to say of a team than why it has no score."""
    return row.final is not None or bool(row.behind) or row.team in (table.pairs or {})


def _heading(column: str) -> str:
    words = column.removesuffix(".avg").replace(".", " ").replace("_", " ")
    return words.removesuffix(" s") + " (s)" if words.endswith("delay s") else words


def _team(row: Row, table: Table, states: Sequence[str]) -> TeamSection:
    losses = []
    for column, behind in row.behind.items():
        language, task, dimension = column.split(".", 2)
        losses.append(
            Losses(
                language,
                task,
                dimension.replace("_", " "),
                row.display.get(column, NOTHING),
                behind.n,
                tuple(behind.counts.get(state, 0) for state in states),
            )
        )
    return TeamSection(
        row,
        visible(row.display_name, _NAME),
        visible(row.system, _NAME),
        marks(row),
        tuple(losses),
        (table.flagged or {}).get(row.team, ()),
        case_pictures((table.pairs or {}).get(row.team, ())),
    )


def _pictures(table: Table, challenge: Challenge, columns: Sequence[str]) -> dict[str, Any]:
    board = table.board
    rows = in_table(board)
    terms: dict[str, dict[str, str]] = {}
    for column in columns:
        term, language = _split(column, challenge.languages)
        terms.setdefault(term, {})[language] = column
    dots = [charts.interval_dots(_heading(term), rows, series) for term, series in terms.items()]
    return {
        "final": charts.interval_dots("Final", rows, {"final": "final"}),
        "ranks": charts.rank_dots(rows),
        "terms": [picture for picture in dots if picture is not None],
        "heat": charts.rank_heat(board),
        "latency": charts.latency_scatter(rows),
    }


def _split(column: str, languages: Sequence[str]) -> tuple[str, str]:
    """ "zh.task2.avg" and "interruption.zh" to what is measured and the language ("": over all)."""
    parts = column.split(".")
    if parts[0] in languages:
        return ".".join(parts[1:]), parts[0]
    if parts[-1] in languages:
        return ".".join(parts[:-1]), parts[-1]
    return column, "all" if column in ("interruption", "rejection") else ""


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(data).decode()}"
