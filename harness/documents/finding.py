"""What a check found: one value, many renderers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]
_SEVERITY_ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. ``file`` is relative to the subject, ``line`` and ``column`` count from 1,
    ``pointer`` is an RFC 6901 JSON pointer into that line's value."""

    code: str
    severity: Severity
    message: str
    hint: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None

    def sort_key(self) -> tuple[str, int, str, int, str, str]:
        """By file, line, code; the rest only makes the order total."""
        return (self.file or "", self.line or 0, self.code, self.column or 0, self.pointer or "", self.message)


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was looked at."""

    files: int = 0
    dialogues: int = 0
    audio_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ChallengeRef:
    """Which challenge a document speaks of: its id and the digest of its spec."""

    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The answer of `humdial validate`. ``truncated`` counts findings that did not fit in ``findings``."""

    schema_version: int
    subject: str
    valid: bool
    findings: tuple[Finding, ...]
    checked: Checked
    truncated: int
    challenge: ChallengeRef
    harness_version: str


@dataclass(slots=True)
class Findings:
    """Collects findings in one pass. Keeps at most ``cap`` and counts the rest: errors push out warnings."""

    cap: int = 10_000
    _kept: dict[Severity, list[Finding]] = field(default_factory=lambda: {"error": [], "warning": [], "info": []})
    _total: int = 0
    _errors: int = 0

    def add(self, finding: Finding) -> None:
        self._total += 1
        self._errors += finding.severity == "error"
        kept = self._kept[finding.severity]
        if len(kept) < self.cap:
            kept.append(finding)
        elif finding.line is None and self.cap:  # what concerns a whole file pushes out what concerns a line
            kept.pop()
            kept.insert(0, finding)

    def counts_only(self, severity: Severity) -> bool:
        """Count one finding about a line when no more such are kept: its text then need not be written."""
        if len(self._kept[severity]) < self.cap:
            return False
        self._total += 1
        self._errors += severity == "error"
        return True

    def extend(self, findings: list[Finding] | tuple[Finding, ...]) -> None:
        for finding in findings:
            self.add(finding)

    @property
    def faults(self) -> int:
        """How many there are, kept or only counted."""
        return self._total

    @property
    def has_errors(self) -> bool:
        return self._errors > 0

    def result(self) -> tuple[tuple[Finding, ...], int]:
        """The kept findings, sorted by file, line, code, and how many were left out."""
        kept: list[Finding] = []
        for severity in sorted(self._kept, key=lambda name: _SEVERITY_ORDER[name]):
            room = self.cap - len(kept)
            kept.extend(sorted(self._kept[severity], key=Finding.sort_key)[:room])
        kept.sort(key=Finding.sort_key)
        return tuple(kept), self._total - len(kept)
