"""The table for a paper: a LaTeX table with booktabs rules, every cell literal."""

from __future__ import annotations

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Leaderboard, Row
from harness.reporting.hostile_text import for_latex
from harness.reporting.leaderboard import (
    NOTHING,
    below_table,
    footer,
    in_table,
    interval,
    marks,
    rank_interval,
    term_columns,
    title,
)


def render_latex(board: Leaderboard, challenge: Challenge, color: bool) -> bytes:
    """Needs the packages booktabs and, for Chinese names, a Unicode engine with xeCJK or luatexja. The conditions
    stand under the rules, so that the table does not travel without them."""
    columns = term_columns(board, challenge, judged_only=True)
    languages = list(challenge.tracks[board.track].language_weights)
    doubted = ["interval", "ranks", "group"] if board.bootstrap else []
    headings = ["rank", "team", "final", *doubted, *languages, *columns]
    decimals = challenge.tracks[board.track].decimals
    lines = [
        "% needs \\usepackage{booktabs}; Chinese names need XeLaTeX with xeCJK or LuaLaTeX with luatexja",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{for_latex(title(board, challenge))}}}",
        rf"\begin{{tabular}}{{rl{'r' * (len(headings) - 2)}}}",
        r"\toprule",
        " & ".join(for_latex(heading) for heading in headings) + r" \\",
        r"\midrule",
        *(
            " & ".join(
                [
                    NOTHING if row.rank is None else str(row.rank),
                    _called(row),
                    row.display.get("final", NOTHING),
                    *([for_latex(interval(row, "final", decimals)), rank_interval(row), row.group or NOTHING])[
                        : len(doubted)
                    ],
                    *(row.display.get(name, NOTHING) for name in [*languages, *columns]),
                ]
            )
            + r" \\"
            for row in in_table(board)
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {for_latex(line)}" for line in [*_below(board), *footer(board, challenge)]),
        r"\end{table}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _below(board: Leaderboard) -> list[str]:
    return [f"{row.team}: {'; '.join(row.notes) or 'no final score'}" for row in below_table(board)]


def _called(row: Row) -> str:
    mark = f" ({marks(row)})" if marks(row) else ""
    return for_latex(f"{row.display_name or row.team}{mark}")
