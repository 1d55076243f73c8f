"""What a check of human ratings found, for a person or a program."""

from __future__ import annotations

from collections.abc import Iterable

from harness.documents.codec import pretty_json, to_plain
from harness.documents.finding import Finding
from harness.documents.ratings import RatingsReport
from harness.reporting.hostile_text import for_json, visible

FORMATS = ("text", "concise", "json")
_SHOWN = 100


def render(report: RatingsReport, format_: str) -> bytes:
    """``report`` in one of FORMATS, as UTF-8; the same report gives the same bytes."""
    if format_ == "json":
        return for_json(pretty_json(to_plain(report)).decode()).encode()
    lines = list(_concise(report.findings) if format_ == "concise" else _text(report))
    return "".join(line + "\n" for line in lines).encode()


def _concise(findings: Iterable[Finding]) -> Iterable[str]:
    for found in findings:
        yield f"{_place(found)}{found.severity} {found.code} {visible(found.message)}"


def _place(found: Finding) -> str:
    if found.file is None:
        return ""
    return f"{visible(found.file)}:{found.line}: " if found.line else f"{visible(found.file)}: "


def _text(report: RatingsReport) -> Iterable[str]:
    for found in report.findings[:_SHOWN]:
        yield f"{_place(found)}{found.severity} {found.code}: {visible(found.message)}"
        yield f"    {visible(found.hint)}"
    hidden = len(report.findings) - _SHOWN + report.truncated
    if hidden > 0:
        yield f"+{hidden} more (-f json lists up to 10,000)"
    for row in report.agreement:
        alpha = "no alpha" if row.alpha is None else f"alpha {row.alpha:.3f}"
        yield (
            f"{row.language} {row.dimension}: {alpha} over {row.items} items with two or more ratings; "
            f"{row.raters} raters, {row.ratings} ratings"
        )
    for each in report.disagreement:
        mark = "  OUTLIER" if each.outlier else ""
        yield (
            f"{each.team}: judge minus raters {each.difference:+.2f}, "
            f"apart by {each.absolute:.2f}, over {each.n} marks{mark}"
        )
    word = "valid" if report.valid else "invalid"
    errors = sum(found.severity == "error" for found in report.findings)
    yield f"{word}, {errors} errors; {report.ratings} ratings of {report.teams} teams by {report.raters} raters"
