"""The table's renderers, and what they share: which columns to show, the footer, the items behind the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from harness.challenge.spec import Challenge
from harness.documents.duplex import DELAY_NOTES
from harness.documents.leaderboard import INCOMPLETE, Behind, Leaderboard, Row
from harness.documents.report import FAULT_STATES, ITEM_STATES, UNCOUNTED_STATES, ItemState

FORMATS = ("table", "markdown", "csv", "latex", "json")
_CLOSE_PAIRS = 20
# With fewer dialogues in a stratum a bootstrap's intervals are noticeably too short.
FEW_DIALOGUES = 20
NOTHING = "–"
# One letter a state, for the block of items behind the numbers; the legend spells out those that occur.
LETTERS: dict[ItemState, str] = {
    "missing": "m",
    "empty": "e",
    "silent": "s",
    "language_mismatch": "l",
    "too_short": "t",
    "echo": "c",
    "invalid": "i",
    "judge_failed": "f",
    "not_judged": "u",
    "not_rated": "r",
    "skipped": "k",
    "excluded": "x",
}


def render(board: Leaderboard, challenge: Challenge, format_: str, *, color: bool = False) -> bytes:
    """``board`` in one of FORMATS, as UTF-8. The same board gives the same bytes."""
    return _renderers()[format_](board, challenge, color)


def _renderers() -> dict[str, Callable[[Leaderboard, Challenge, bool], bytes]]:
    from harness.reporting.leaderboard_data import render_csv, render_json
    from harness.reporting.leaderboard_latex import render_latex
    from harness.reporting.leaderboard_text import render_markdown, render_table

    return {
        "table": render_table,
        "markdown": render_markdown,
        "csv": render_csv,
        "latex": render_latex,
        "json": render_json,
    }


def title(board: Leaderboard, challenge: Challenge) -> str:
    """What the table is, and loudly what it is not."""
    words = [f"{challenge.title}: {challenge.tracks[board.track].title} ({board.track}), phase {board.phase}"]
    if any(row.missing_weight and row.final is not None for row in board.rows):
        words.append("PROVISIONAL")
    if any(note.startswith(INCOMPLETE) for row in board.rows for note in row.notes):
        words.append("INCOMPLETE")
    if not board.official:
        words.append("NOT OFFICIAL")
    return " – ".join(words)


def term_columns(board: Leaderboard, challenge: Challenge, *, judged_only: bool) -> list[str]:
    """The columns that the final is made of, by language; with ``judged_only`` without those that no row has."""
    track = challenge.tracks[board.track]
    if track.kind == "duplex":  # its columns are the score's parts, in the order in which they were placed
        return list(dict.fromkeys(name for row in board.rows for name in row.columns))
    names = [
        f"{language}.{term}" if "." in term else f"{language}.{term}.avg"
        for language in track.language_weights
        for term in track.terms
    ]
    return [name for name in names if not judged_only or any(row.columns.get(name) is not None for row in board.rows)]


def in_table(board: Leaderboard) -> list[Row]:
    return [row for row in board.rows if row.final is not None]


def below_table(board: Leaderboard) -> list[Row]:
    return [row for row in board.rows if row.final is None]


def marks(row: Row) -> str:
    """Why a row in the table is special."""
    return ", ".join(word for word, is_so in (("late", row.late), ("baseline", row.baseline)) if is_so)


def footer(board: Leaderboard, challenge: Challenge) -> list[str]:
    """Under what conditions the numbers hold: one statement a line, without the teams' own text."""
    judge = f"{board.judge.profile} {_short(board.judge.fingerprint)}" if board.judge else "none"
    lines = [f"policy {board.policy}, phase {board.phase}, judge {judge}, {_status(board)}"]
    gaps = {tuple(row.missing_weight.items()) for row in in_table(board)} - {()}
    for gap in sorted(gaps):
        whose = [row.team for row in in_table(board) if tuple(row.missing_weight.items()) == gap]
        who = "" if len(whose) == len(in_table(board)) else f" ({', '.join(whose)})"
        named = ", ".join(f"{name} {_percent(weight)}" for name, weight in gap)
        lines.append(
            f"provisional{who}: {_percent(sum(weight for _, weight in gap))} of the weight is not judged ({named}); "
            "the other weights are scaled to 1"
        )
    if challenge.tracks[board.track].kind == "duplex":
        lines.append("the published labels came from another judge than any of ours: never official")
        lines += _delays_of_ranked(board)
    if board.noise is not None:
        lines.append(
            f"the judge was asked several times: {100 * board.noise:.1f} % of the marks differ between samples"
        )
    lines += doubt_lines(board)
    if any(row.late for row in board.rows):
        lines.append("late rows stand where they fall and have no rank")
    lines.append(f"challenge {board.challenge.id} {_short(board.challenge.digest)}, inputs {board.inputs_sha256[:12]}")
    return lines


def _delays_of_ranked(board: Leaderboard) -> list[str]:
    """Where the delays of rows that have a final come from, each once with whose they are; in our own words."""
    whose = {note: [row.team for row in in_table(board) if note in row.notes] for note in DELAY_NOTES.values()}
    return [f"{note} ({', '.join(teams)})" for note, teams in whose.items() if teams]


def interval(row: Row, name: str, decimals: int) -> str:
    """The ends of a column's interval as displayed; NOTHING where there is none."""
    ends = (row.ci or {}).get(name)
    return NOTHING if ends is None else "[" + ", ".join(_rounded(end, decimals) for end in ends) + "]"


def _rounded(value: float, decimals: int) -> str:
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def rank_interval(row: Row) -> str:
    if row.rank_low is None or row.rank_high is None:
        return NOTHING
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}–{row.rank_high}"


def level_of(board: Leaderboard) -> str:
    """For instance "95 %"."""
    return _percent(board.bootstrap.level) if board.bootstrap else ""


def doubt_lines(board: Leaderboard) -> list[str]:
    """What the intervals are, and which neighbours they leave undecided; nothing where nothing was drawn."""
    drawn = board.bootstrap
    if drawn is None:
        return []
    lines = [
        f"intervals {level_of(board)}: paired bootstrap of dialogues, {drawn.draws} draws, seed {drawn.seed[:12]}; "
        "teams with different letters are told apart"
    ]
    if drawn.fewest_dialogues < FEW_DIALOGUES:
        lines.append(f"a task has only {drawn.fewest_dialogues} dialogues in a language: these intervals are too short")
    if drawn.without_items:
        lines.append(f"no intervals for {', '.join(drawn.without_items)}: the items are not stored")
    close = [pair for pair in board.separable if pair.hidden_set_required]
    if close:
        named = ", ".join(f"{pair.above} and {pair.below} (p {pair.p:.2g})" for pair in close[:_CLOSE_PAIRS])
        more = f" and {len(close) - _CLOSE_PAIRS} more" if len(close) > _CLOSE_PAIRS else ""
        lines.append(f"too close to tell apart (p >= {drawn.close_p:g}), the hidden set decides: {named}{more}")
    return lines


def _status(board: Leaderboard) -> str:
    if board.official:
        return "official"
    reasons = []
    if board.phase != "final":
        reasons.append(f"phase {board.phase}")
    if board.judge is None:
        reasons.append("no judge is named")
    elif not board.judge.official:
        reasons.append(f"judge {board.judge.profile} is not official")
    if any(row.final is None and row.behind for row in board.rows):
        reasons.append("a row has no final score")
    return f"not official ({'; '.join(reasons)})"


def _short(fingerprint: str) -> str:
    return fingerprint.removeprefix("sha256:")[:12]


def _percent(weight: float) -> str:
    return f"{100 * weight:.4g} %"


@dataclass(frozen=True, slots=True)
class Behinds:
    """The block under the table: a heading a group of dimensions that share their counts in every row, a line a
    team. A cell is n, then in brackets how many items were not simply scored, a letter a state."""

    headings: list[str]
    lines: list[tuple[Row, list[str]]]
    legend: str


def items_behind(board: Leaderboard) -> Behinds:
    """How many items stand behind every published mean, and what became of the others."""
    rows = [row for row in board.rows if row.behind]
    groups = _groups(rows)
    lines = [(row, [_cell(row.behind.get(names[0])) for names in groups.values()]) for row in rows]
    return Behinds(list(groups), lines, _legend(board.policy, rows))


def _groups(rows: list[Row]) -> dict[str, list[str]]:
    """Heading to the columns it stands for. Dimensions of one task go together while every row counts them alike."""
    columns = list(dict.fromkeys(name for row in rows for name in row.behind))
    by_task: dict[str, list[list[str]]] = {}
    for column in columns:
        language, task, _ = column.split(".", 2)
        parts = by_task.setdefault(f"{language} {task}", [])
        for part in parts:
            if all(row.behind.get(part[0]) == row.behind.get(column) for row in rows):
                part.append(column)
                break
        else:
            parts.append([column])
    groups: dict[str, list[str]] = {}
    for heading, parts in by_task.items():
        for part in parts:
            names = "" if len(parts) == 1 else " " + ", ".join(column.split(".", 2)[2] for column in part)
            groups[heading + names] = part
    return groups


def _cell(behind: Behind | None) -> str:
    if behind is None:
        return NOTHING
    others = [f"{behind.counts[state]}{letter}" for state, letter in LETTERS.items() if behind.counts.get(state)]
    return f"{behind.n} ({' '.join(others)})" if others else str(behind.n)


def _legend(policy: str, rows: Iterable[Row]) -> str:
    seen = {state for row in rows for behind in row.behind.values() for state, count in behind.counts.items() if count}
    used = [state for state in ITEM_STATES if state in seen and state != "scored"]
    if not used:
        return "every item was scored"
    inside = "with the lowest mark, inside n" if policy == "strict" else "left out of n"
    kinds = (
        (inside, [state for state in used if state in FAULT_STATES]),
        ("waiting to be repeated" if policy == "strict" else "left out of n", [s for s in used if s == "judge_failed"]),
        ("outside n", [state for state in used if state in UNCOUNTED_STATES]),
    )
    parts = [
        ", ".join(f"{LETTERS[state]} {state.replace('_', ' ')}" for state in states) + f" ({how})"
        for how, states in kinds
        if states
    ]
    return "; ".join(parts)
