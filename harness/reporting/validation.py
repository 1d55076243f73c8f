"""A validation report for a person, for a grep, or for a program. One value, a table of renderers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from harness.documents.codec import pretty_json, to_plain
from harness.documents.finding import Finding, Severity, ValidationReport
from harness.reporting.closing import closing_line, painted
from harness.reporting.excerpt import excerpt
from harness.reporting.forge import github, markdown
from harness.reporting.hostile_text import visible
from harness.reporting.junit import junit
from harness.reporting.sarif import sarif

SHOWN = 100
_EXPLAINED = 3  # findings of one code in one file that are shown with the line and the hint
_COLOR = {"error": "31", "warning": "33", "info": "36"}
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}

Renderer = Callable[[Sequence[ValidationReport], bool], str]
Lines = Mapping[tuple[str, int], str]  # (file, line) to its text


def render(report: ValidationReport, format_: str, *, color: bool = False) -> bytes:
    """One report in one of FORMATS, as UTF-8. The same report gives the same bytes."""
    return render_all([report], format_, color=color)


def render_all(
    reports: Sequence[ValidationReport], format_: str, *, color: bool = False, lines: Sequence[Lines] = ()
) -> bytes:
    """Several reports one after the other; as JSON an object when there is one report, else an array.

    ``lines`` are the offending lines of each report, which the text format shows with a caret.
    """
    shown = [replace(report, subject=visible(report.subject)) for report in reports]
    if format_ == "text" and lines:
        return "\n".join(_one_text(*each, color) for each in zip(shown, lines, strict=True)).encode()
    return FORMATS[format_](shown, color).encode()


def _text(reports: Sequence[ValidationReport], color: bool) -> str:
    return "\n".join(_one_text(report, {}, color) for report in reports)


def _one_text(report: ValidationReport, source: Lines, color: bool) -> str:
    lines: list[str] = []
    shown = most_important(report.findings)
    for file, findings in groupby(shown, key=lambda finding: finding.file):
        lines.append(painted(file or report.subject, "1", color))
        seen: Counter[str] = Counter()
        for finding in findings:
            seen[finding.code] += 1
            lines += _finding_lines(finding, source, color, explained=seen[finding.code] <= _EXPLAINED)
        lines.append("")
    lines += _hidden_lines(report, shown)
    return "\n".join([*lines, closing_line(report, color)]) + "\n"


def _hidden_lines(report: ValidationReport, shown: Sequence[Finding]) -> list[str]:
    """How many findings are not shown, by code, the most frequent first."""
    hidden = len(report.findings) - len(shown) + report.truncated
    if not hidden:
        return []
    codes = Counter(finding.code for finding in report.findings) - Counter(finding.code for finding in shown)
    kinds = [f"{count} {code}" for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))]
    kinds = [*kinds[:5], *([f"{len(kinds) - 5} more kinds"] if len(kinds) > 5 else [])]
    return [f"+{hidden} more (-f json lists up to 10,000)" + (f": {', '.join(kinds)}" if kinds else ""), ""]


def most_important(findings: Sequence[Finding]) -> list[Finding]:
    """At most SHOWN findings, errors before warnings, then again by file, line, code."""
    if len(findings) <= SHOWN:
        return list(findings)
    chosen = sorted(range(len(findings)), key=lambda place: (_ORDER[findings[place].severity], place))[:SHOWN]
    return [findings[place] for place in sorted(chosen)]


def _finding_lines(finding: Finding, source: Lines, color: bool, *, explained: bool) -> Iterable[str]:
    place = _place(finding)
    name = painted(f"{finding.severity} {finding.code}", _COLOR[finding.severity], color)
    yield f"  {place}{name}: {finding.message}"
    if not explained:
        return
    line = source.get((finding.file or "", finding.line or 0))
    if line is not None:
        text, mark = excerpt(line, finding.column, finding.pointer)
        number = str(finding.line)
        yield f"      {number} | {text}"
        yield f"      {' ' * len(number)} | {painted(mark, _COLOR[finding.severity], color)}"
    if finding.hint:
        yield f"      {finding.hint}"


def _place(finding: Finding) -> str:
    place = "" if finding.line is None else f"line {finding.line}"
    if finding.line is not None and finding.column is not None:
        place += f":{finding.column}"
    if finding.pointer:
        place += f" {finding.pointer}" if place else finding.pointer
    return f"{place}  " if place else ""


def _concise(reports: Sequence[ValidationReport], color: bool) -> str:
    """file:line:column: CODE message, a line a finding."""
    lines = []
    for report in reports:
        for finding in report.findings:
            place = [finding.file or report.subject, finding.line, finding.column if finding.line else None]
            head = ":".join(str(part) for part in place if part is not None)
            name = painted(finding.code, _COLOR[finding.severity], color)
            pointer = f" ({finding.pointer})" if finding.pointer else ""
            lines.append(f"{head}: {name} {finding.message}{pointer}")
        if report.truncated:
            lines.append(f"{report.subject}: +{report.truncated} more")
    return "".join(f"{line}\n" for line in lines)


def _json(reports: Sequence[ValidationReport], color: bool) -> str:
    plain = [to_plain(report) for report in reports]
    return pretty_json(plain[0] if len(plain) == 1 else plain).decode()


FORMATS: dict[str, Renderer] = {
    "text": _text,
    "concise": _concise,
    "json": _json,
    "github": github,
    "markdown": markdown,
    "junit": junit,
    "sarif": sarif,
}
