"""Collects what the rules find, with the severity that the kind of check asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.documents.codes import finding, lookup
from harness.documents.finding import Findings, Severity
from harness.submission.readers.refusal import Refusal, printable


@dataclass(slots=True)
class Ledger:
    """``prefix`` is the wrapping folder that was taken off the paths. ``draft`` softens what is incomplete,
    ``from_image`` softens what concerns one item only: there it costs the item, not the submission."""

    draft: bool = False
    from_image: bool = False
    prefix: str = ""
    findings: Findings = field(default_factory=Findings)

    def add(
        self,
        code: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        pointer: str | None = None,
        severity: Severity | None = None,
        **values: object,
    ) -> None:
        """One finding. ``file`` is relative to the tree that is being checked."""
        if line is not None and self.findings.counts_only(severity or lookup(code).severity):
            return
        shown = None if file is None else printable(self.prefix + file)
        self.findings.add(
            finding(code, file=shown, line=line, column=column, pointer=pointer, severity=severity, **values)
        )

    def item(self, code: str, **place_and_values: object) -> None:
        """A finding about one dialogue, turn or WAV: at most a warning when an image made it."""
        self.add(code, severity=self._softened(code, self.from_image), **place_and_values)  # type: ignore[arg-type]

    def incomplete(self, code: str, **place_and_values: object) -> None:
        """A finding about something that is not there: at most a warning in a draft or from an image."""
        soft = self.draft or self.from_image
        self.add(code, severity=self._softened(code, soft), **place_and_values)  # type: ignore[arg-type]

    def refuse(
        self, refusal: Refusal, *, file: str | None = None, line: int | None = None, pointer: str | None = None
    ) -> None:
        """A reader's refusal of a whole file or line: never softened."""
        self.add(
            refusal.code,
            file=refusal.file or file,
            line=line,
            column=refusal.column,
            pointer=pointer,
            **refusal.values,  # type: ignore[arg-type]
        )

    def refuse_item(
        self, refusal: Refusal, *, file: str | None = None, line: int | None = None, pointer: str | None = None
    ) -> None:
        """A reader's refusal that concerns one item."""
        place = {"file": refusal.file or file, "line": line, "column": refusal.column, "pointer": pointer}
        self.item(refusal.code, **place, **refusal.values)

    @staticmethod
    def _softened(code: str, soft: bool) -> Severity | None:
        return "warning" if soft and lookup(code).severity == "error" else None
