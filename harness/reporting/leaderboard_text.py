"""The table for people: in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Leaderboard, Row
from harness.reporting.hostile_text import cut, for_markdown, visible
from harness.reporting.leaderboard import (
    NOTHING,
    below_table,
    footer,
    in_table,
    interval,
    items_behind,
    level_of,
    marks,
    rank_interval,
    term_columns,
    title,
)

_NAME_WIDTH = 32
_HEADING_WIDTH = 14
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def render_table(board: Leaderboard, challenge: Challenge, color: bool) -> bytes:
    """For a terminal; Chinese and other wide characters keep their columns."""
    heading = visible(title(board, challenge))
    parts = [f"{_BOLD}{heading}{_PLAIN}" if color else heading]
    columns = term_columns(board, challenge, judged_only=True)
    languages = list(challenge.tracks[board.track].language_weights)
    doubted = ["\n".join(heading) for heading in _doubt_headings(board)]
    headings = ["rank", "team", "name", "final", *doubted, *languages]
    headings += [*(_wrapped(name.split(".")) for name in columns), ""]
    cells = [
        [
            *_numbers_first(row, lambda text: cut(text, _NAME_WIDTH)),
            *_doubts(board, row, challenge),
            *_shown(row, [*languages, *columns]),
            marks(row),
        ]
        for row in in_table(board)
    ]
    if cells:
        parts.append(_tabulated(headings, cells, right=range(3, len(headings) - 1)))
    below = [f"  {_called(row, lambda text: cut(text, _NAME_WIDTH))}: {_reason(row)}" for row in below_table(board)]
    if below:
        parts.append("\n".join(["Without a final score:", *below]))
    parts.append("\n".join(footer(board, challenge)))
    behind = items_behind(board)
    if behind.lines:
        block = [[row.team, *cells] for row, cells in behind.lines]
        heads = ["team", *(_wrapped(heading.split(" ")) for heading in behind.headings)]
        parts.append(f"Items behind the numbers\n{_tabulated(heads, block, right=())}\n{behind.legend}")
    return ("\n\n".join(parts) + "\n").encode()


def _numbers_first(row: Row, safe: Callable[[str], str]) -> list[str]:
    rank = NOTHING if row.rank is None else str(row.rank)
    return [rank, row.team, safe(row.display_name), row.display.get("final", NOTHING)]


def _doubt_headings(board: Leaderboard) -> list[tuple[str, ...]]:
    level = level_of(board)
    return [(level, "interval"), (level, "ranks"), ("group",)] if board.bootstrap else []


def _doubts(board: Leaderboard, row: Row, challenge: Challenge) -> list[str]:
    if not board.bootstrap:
        return []
    decimals = challenge.tracks[board.track].decimals
    return [interval(row, "final", decimals), rank_interval(row), row.group or NOTHING]


def _shown(row: Row, names: Sequence[str]) -> list[str]:
    return [row.display.get(name, NOTHING) for name in names]


def _called(row: Row, safe: Callable[[str], str]) -> str:
    return row.team if row.display_name in ("", row.team) else f"{row.team} ({safe(row.display_name)})"


def _reason(row: Row) -> str:
    return visible("; ".join(row.notes)) or "no final score"


def _wrapped(words: Sequence[str]) -> str:
    """A heading on several short lines: broken between words and after underscores."""
    lines: list[str] = []
    for word in words:
        pieces = [piece + "_" for piece in word.split("_")]
        pieces[-1] = pieces[-1][:-1]
        line = ""
        for piece in pieces:
            if line and len(line) + len(piece) > _HEADING_WIDTH:
                lines.append(line)
                line = ""
            line += piece
        lines.append(line)
    return "\n".join(lines)


def _tabulated(headings: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    from tabulate import tabulate

    align = ["right" if place == 0 or place in right else "left" for place in range(len(headings))]
    if not right:
        align[0] = "left"
    text = tabulate(cells, headers=headings, tablefmt="simple", disable_numparse=True, colalign=align)
    return "\n".join(line.rstrip() for line in text.splitlines())


def render_markdown(board: Leaderboard, challenge: Challenge, color: bool) -> bytes:
    """For a repository or an issue: tables with pipes, every cell literal."""
    columns = term_columns(board, challenge, judged_only=False)
    languages = list(challenge.tracks[board.track].language_weights)
    parts = [f"## {for_markdown(title(board, challenge))}"]
    cells = [
        [
            *_numbers_first(row, for_markdown),
            *_doubts(board, row, challenge),
            *_shown(row, [*languages, *columns]),
            for_markdown(row.system),
            for_markdown(marks(row)),
        ]
        for row in in_table(board)
    ]
    doubted = [" ".join(heading) for heading in _doubt_headings(board)]
    headings = ["rank", "team", "name", "final", *doubted, *languages, *map(for_markdown, columns), "system", ""]
    if cells:
        parts.append(_piped(headings, cells, right=range(3, len(headings) - 2)))
    below = [f"- {_called(row, for_markdown)}: {for_markdown(_reason(row))}" for row in below_table(board)]
    if below:
        parts += ["Without a final score:", "\n".join(below)]
    parts.append("\n".join(f"- {for_markdown(line)}" for line in footer(board, challenge)))
    behind = items_behind(board)
    if behind.lines:
        block = [[row.team, *cells] for row, cells in behind.lines]
        parts += [
            "### Items behind the numbers",
            _piped(["team", *map(for_markdown, behind.headings)], block, right=()),
        ]
        parts.append(for_markdown(behind.legend))
    return ("\n\n".join(parts) + "\n").encode()


def _piped(headings: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    rule = ["---:" if place in right else "---" for place in range(len(headings))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, rule, *cells))
