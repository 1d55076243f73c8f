"""Findings for a forge: GitHub's annotations, and a Markdown summary of a job step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.documents.finding import Finding, Severity, ValidationReport
from harness.reporting.closing import closing_line, counted
from harness.reporting.hostile_text import for_markdown, visible

# GitHub shows ten annotations of a kind a step and drops the rest without a word.
ANNOTATIONS = 10
SUMMARY_ROWS = 200
_SUMMARY_CHARACTERS = 400  # a cell
_LEVELS: tuple[Severity, ...] = ("error", "warning")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
Located = tuple[ValidationReport, Finding]


def github(reports: Sequence[ValidationReport], color: bool = False) -> str:
    """Workflow commands: ten errors, ten warnings, and one notice that counts the rest; then a plain line a report."""
    found = [(report, finding) for report in reports for finding in report.findings]
    lines, hidden = [], Counter[str]()
    for level in _LEVELS:
        of_level = [each for each in found if each[1].severity == level]
        lines += [_annotation(report, finding) for report, finding in of_level[:ANNOTATIONS]]
        hidden[level] = len(of_level) - len(of_level[:ANNOTATIONS])
    hidden["error"] += sum(report.truncated for report in reports)
    if hidden.total():
        parts = [counted(hidden[level], f"more {level}") for level in _LEVELS if hidden[level]]
        text = f"{' and '.join(parts)} in {_kinds(found)}; the step's summary and -f json list them"
        lines.append(f"::notice title=humdial::{_data(text)}")
    return "".join(f"{line}\n" for line in [*lines, *(closing_line(report) for report in reports)])


def _annotation(report: ValidationReport, finding: Finding) -> str:
    file, inside = place_of(report, finding)
    properties = {"file": file, "line": finding.line, "col": finding.column, "title": finding.code}
    if inside:
        properties |= {"line": None, "col": None}
    written = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    text = (f"{inside}: " if inside else "") + finding.message + (f" ({finding.pointer})" if finding.pointer else "")
    return f"::{finding.severity} {written}::{_data(visible(text) + (chr(10) + finding.hint if finding.hint else ''))}"


def place_of(report: ValidationReport, finding: Finding) -> tuple[str, str]:
    """The path that a reader of the repository knows, and the place inside it when that path is an archive."""
    subject = report.subject.rstrip("/")
    if finding.file is None:
        return subject, ""
    if subject.endswith(_ARCHIVES):
        return subject, finding.file + (f":{finding.line}" if finding.line else "")
    return (finding.file if subject in ("", ".") else f"{subject}/{finding.file}"), ""


def _kinds(found: Sequence[Located]) -> str:
    codes = Counter(finding.code for _, finding in found if finding.severity != "info")
    names = [f"{code} ({count})" for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0]))]
    return ", ".join(names[:8]) + (f" and {counted(len(names) - 8, 'more kind')}" if len(names) > 8 else "")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")


def markdown(reports: Sequence[ValidationReport], color: bool = False) -> str:
    """A heading, the answer and a table a report; at most 200 rows each, errors first. For a job's summary page."""
    return "\n".join(_section(report) for report in reports)


def _section(report: ValidationReport) -> str:
    answer = "✅ valid" if report.valid else "❌ invalid"
    closing = closing_line(report).removeprefix(f"{report.subject}: ").partition(", ")[2]
    lines = [f"### {answer}: {for_markdown(report.subject)}", "", for_markdown(closing), ""]
    rows = sorted(report.findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))
    if rows:
        lines += ["| | code | place | what | what to do |", "|---|---|---|---|---|"]
        lines += [_row(finding) for finding in rows[:SUMMARY_ROWS]]
    hidden = len(rows) - len(rows[:SUMMARY_ROWS]) + report.truncated
    if hidden:
        lines += ["", f"+{hidden} more"]
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(finding: Finding) -> str:
    place = (finding.file or "") + (f":{finding.line}" if finding.line else "")
    place += f" {finding.pointer}" if finding.pointer else ""
    cells = (finding.severity, f"`{finding.code}`", _cell(place), _cell(finding.message), _cell(finding.hint))
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return for_markdown(visible(text, _SUMMARY_CHARACTERS))
