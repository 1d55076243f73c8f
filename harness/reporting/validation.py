"""A validation report, rendered. One finding value, a table of renderers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import click

from harness.documents.codec import pretty_json, to_plain
from harness.documents.finding import Finding, ValidationReport
from harness.reporting.hostile_text import for_json, visible

SHOWN = 100
_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}
_MESSAGE_LIMIT = 400


def render(report: ValidationReport, format_: str, *, color: bool = False) -> bytes:
    """``report`` in one of FORMATS. Same report, same bytes."""
    return FORMATS[format_](report, color)


def text(report: ValidationReport, color: bool) -> bytes:
    """For a person: grouped by file, the first hundred findings (errors before warnings), a closing line."""
    shown = _first(report)
    lines: list[str] = []
    for file, group in groupby(shown, key=lambda finding: finding.file):
        lines += ["", _style(visible(file or "the submission as a whole"), color, bold=True)]
        for finding in group:
            lines += _entry(finding, color)
    left = len(report.findings) - len(shown) + report.truncated
    if left:
        lines += ["", f"+{left} more; -f json lists up to 10,000"]
    return ("\n".join([*lines, "", *_closing(report, color)]).lstrip("\n") + "\n").encode()


def _first(report: ValidationReport) -> list[Finding]:
    """The first hundred in the report's order; when there are more, errors before the rest."""
    if len(report.findings) <= SHOWN:
        return list(report.findings)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    others = [finding for finding in report.findings if finding.severity != "error"]
    return sorted((errors + others)[:SHOWN], key=Finding.sort_key)


def _entry(finding: Finding, color: bool) -> Iterator[str]:
    place = "".join(
        f"{label}{value}"
        for label, value in (("line ", finding.line), (":", finding.column))
        if value is not None and (label == "line " or finding.line is not None)
    )
    where = " ".join(part for part in (place, visible(finding.pointer or "")) if part)
    severity = _style(finding.severity, color, fg=_COLORS[finding.severity])
    yield f"  {where + ': ' if where else ''}{severity} {visible(finding.message, _MESSAGE_LIMIT)} [{finding.code}]"
    if finding.hint:
        yield f"      → {visible(finding.hint, _MESSAGE_LIMIT)}"


def _closing(report: ValidationReport, color: bool) -> Iterator[str]:
    counts = {name: sum(f.severity == name for f in report.findings) for name in ("error", "warning")}
    checked = report.checked
    answer = _style("valid", color, fg="green") if report.valid else _style("not valid", color, fg="red", bold=True)
    yield (
        f"{visible(report.subject)}: {answer}; {_number(counts['error'], 'error')}, "
        f"{_number(counts['warning'], 'warning')}; checked {_number(checked.files, 'file')}, "
        f"{_number(checked.dialogues, 'dialogue')}, {checked.audio_seconds:.1f} s of audio"
    )
    if not report.valid:
        yield "`humdial explain CODE` shows a bad and a good example"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _style(value: str, color: bool, *, fg: str | None = None, bold: bool = False) -> str:
    return click.style(value, fg=fg, bold=bold) if color else value


def concise(report: ValidationReport, color: bool) -> bytes:
    """A line a finding, in the shape that editors jump to: file:line:column: severity CODE message."""
    lines = []
    for finding in report.findings:
        place = ":".join(
            [visible(finding.file or report.subject)]
            + [str(n) for n in (finding.line, finding.column) if n is not None]
        )
        severity = _style(finding.severity, color, fg=_COLORS[finding.severity])
        pointer = f" {visible(finding.pointer)}" if finding.pointer else ""
        lines.append(f"{place}: {severity} {finding.code}{pointer} {visible(finding.message, _MESSAGE_LIMIT)}\n")
    return "".join(lines).encode()


def json(report: ValidationReport, color: bool) -> bytes:
    """The document itself (schemas/validation-report)."""
    return for_json(pretty_json(to_plain(report)).decode()).encode()


FORMATS: dict[str, Callable[[ValidationReport, bool], bytes]] = {"text": text, "concise": concise, "json": json}
