"""The table for programs: CSV for a spreadsheet, JSON for everything else."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from harness.challenge.spec import Challenge
from harness.documents.codec import pretty_json
from harness.documents.leaderboard import Behind, Leaderboard, leaderboard_plain
from harness.documents.report import ITEM_STATES
from harness.reporting.hostile_text import for_csv, for_json


def render_json(board: Leaderboard, challenge: Challenge, color: bool) -> bytes:
    """schemas/leaderboard."""
    return for_json(pretty_json(leaderboard_plain(board)).decode()).encode()


def render_csv(board: Leaderboard, challenge: Challenge, color: bool) -> bytes:
    """A line a team: numbers as published, and for each mean the items behind it."""
    languages = list(challenge.tracks[board.track].language_weights)
    columns = list(dict.fromkeys(name for row in board.rows for name in row.columns))
    counted = [name for name in columns if any(name in row.behind for row in board.rows)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["rank", "rank_low", "rank_high", "group", "team", "display_name", "system", "late", "baseline"]
        + ["final", "final_low", "final_high", *languages, *columns]
        + [f"{name}.{what}" for name in counted for what in ("n", "items")]
        + ["missing_weight", "notes", "policy", "phase", "judge", "fingerprint", "official"]
    )
    judge = board.judge
    for row in board.rows:
        writer.writerow(
            [*("" if rank is None else rank for rank in (row.rank, row.rank_low, row.rank_high)), row.group or ""]
            + [row.team, for_csv(row.display_name), for_csv(row.system)]
            + [str(row.late).lower(), str(row.baseline).lower(), row.display.get("final", "")]
            + [*(row.ci or {}).get("final", ("", ""))]
            + [row.display.get(name, "") for name in (*languages, *columns)]
            + [cell for name in counted for cell in _counted(row.behind.get(name))]
            + [_pairs(row.missing_weight), for_csv("; ".join(row.notes)), board.policy, board.phase]
            + [for_csv(judge.profile) if judge else "", for_csv(judge.fingerprint) if judge else ""]
            + [str(board.official).lower()]
        )
    return stream.getvalue().encode()


def _counted(behind: Behind | None) -> tuple[str, str]:
    if behind is None:
        return ("", "")
    return (
        str(behind.n),
        _pairs({str(state): behind.counts[state] for state in ITEM_STATES if state in behind.counts}),
    )


def _pairs(values: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in values.items())
