"""A validation report for a person, for a grep, or for a program. One value, a table of renderers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from harness.documents.codec import pretty_json, to_plain
from harness.documents.finding import Finding, Severity, ValidationReport
from harness.reporting.hostile_text import visible

SHOWN = 100
_COLOR = {"error": "31", "warning": "33", "info": "36"}
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}

Renderer = Callable[[Sequence[ValidationReport], bool], str]


def render(report: ValidationReport, format_: str, *, color: bool = False) -> bytes:
    """One report in one of FORMATS, as UTF-8. The same report gives the same bytes."""
    return render_all([report], format_, color=color)


def render_all(reports: Sequence[ValidationReport], format_: str, *, color: bool = False) -> bytes:
    """Several reports one after the other; as JSON an object when there is one report, else an array."""
    shown = [replace(report, subject=visible(report.subject)) for report in reports]
    return FORMATS[format_](shown, color).encode()


def _text(reports: Sequence[ValidationReport], color: bool) -> str:
    return "\n".join(_one_text(report, color) for report in reports)


def _one_text(report: ValidationReport, color: bool) -> str:
    lines: list[str] = []
    shown = _most_important(report.findings)
    for file, findings in groupby(shown, key=lambda finding: finding.file):
        lines.append(_painted(file or report.subject, "1", color))
        for finding in findings:
            lines += _finding_lines(finding, color)
        lines.append("")
    hidden = len(report.findings) - len(shown) + report.truncated
    if hidden:
        lines += [f"+{hidden} more (-f json lists up to 10,000)", ""]
    return "\n".join([*lines, closing_line(report, color)]) + "\n"


def _most_important(findings: Sequence[Finding]) -> list[Finding]:
    """At most SHOWN findings, errors before warnings, then again by file, line, code."""
    if len(findings) <= SHOWN:
        return list(findings)
    chosen = sorted(range(len(findings)), key=lambda place: (_ORDER[findings[place].severity], place))[:SHOWN]
    return [findings[place] for place in sorted(chosen)]


def _finding_lines(finding: Finding, color: bool) -> Iterable[str]:
    place = _place(finding)
    name = _painted(f"{finding.severity} {finding.code}", _COLOR[finding.severity], color)
    yield f"  {place}{name}: {finding.message}"
    if finding.hint:
        yield f"      {finding.hint}"


def _place(finding: Finding) -> str:
    place = "" if finding.line is None else f"line {finding.line}"
    if finding.line is not None and finding.column is not None:
        place += f":{finding.column}"
    if finding.pointer:
        place += f" {finding.pointer}" if place else finding.pointer
    return f"{place}  " if place else ""


def closing_line(report: ValidationReport, color: bool = False) -> str:
    """What was checked and the answer, in one line."""
    counts = Counter(finding.severity for finding in report.findings)
    checked = report.checked
    answer = _painted("valid", "32", color) if report.valid else _painted("invalid", "31", color)
    parts = [_counted(counts["error"], "error"), _counted(counts["warning"], "warning")]
    if counts["info"]:
        parts.append(f"{counts['info']} to note")
    return (
        f"{report.subject}: {answer}, {', '.join(parts)}; checked {_counted(checked.files, 'file')}, "
        f"{_counted(checked.dialogues, 'dialogue')}, {checked.audio_seconds:.1f} s of audio"
    )


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def _painted(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text


def _concise(reports: Sequence[ValidationReport], color: bool) -> str:
    """file:line:column: CODE message, a line a finding."""
    lines = []
    for report in reports:
        for finding in report.findings:
            place = [finding.file or report.subject, finding.line, finding.column if finding.line else None]
            head = ":".join(str(part) for part in place if part is not None)
            name = _painted(finding.code, _COLOR[finding.severity], color)
            pointer = f" ({finding.pointer})" if finding.pointer else ""
            lines.append(f"{head}: {name} {finding.message}{pointer}")
        if report.truncated:
            lines.append(f"{report.subject}: +{report.truncated} more")
    return "".join(f"{line}\n" for line in lines)


def _json(reports: Sequence[ValidationReport], color: bool) -> str:
    plain = [to_plain(report) for report in reports]
    return pretty_json(plain[0] if len(plain) == 1 else plain).decode()


FORMATS: dict[str, Renderer] = {"text": _text, "concise": _concise, "json": _json}
