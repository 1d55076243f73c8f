"""The last line of a validation report: what was checked and the answer."""

from __future__ import annotations

from collections import Counter

from harness.documents.finding import ValidationReport


def closing_line(report: ValidationReport, color: bool = False) -> str:
    """What was checked and the answer, in one line."""
    counts = Counter(finding.severity for finding in report.findings)
    checked = report.checked
    answer = painted("valid", "32", color) if report.valid else painted("invalid", "31", color)
    parts = [counted(counts["error"], "error"), counted(counts["warning"], "warning")]
    if counts["info"]:
        parts.append(f"{counts['info']} to note")
    return (
        f"{report.subject}: {answer}, {', '.join(parts)}; checked {counted(checked.files, 'file')}, "
        f"{counted(checked.dialogues, 'dialogue')}, {checked.audio_seconds:.1f} s of audio"
    )


def counted(count: int, thing: str) -> str:
    """A number and its noun, with an s when it is not one."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def painted(text: str, code: str, color: bool) -> str:
    """``text`` in the colour of an ANSI code, or as it is."""
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
