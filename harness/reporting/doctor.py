"""A doctor's report for a person: a line a check, and what to do below those that are not well."""

from __future__ import annotations

from harness.documents.doctor import DoctorReport

_WORDS = {"ok": "ok", "note": "note", "wrong": "WRONG", "missing": "MISSING"}
_SUMMARY = {
    "ok": "all is well",
    "note": "runs can be made here; see the notes before they count",
    "wrong": "put this right before runs that count",
    "missing": "nothing can run here yet",
}


def doctor_text(report: DoctorReport) -> str:
    lines = []
    for check in report.checks:
        lines.append(f"{check.name:<10} {_WORDS[check.health]:<8} {check.found}")
        if check.fix:
            lines.append(f"{'':<19} → {check.fix}")
    return "\n".join([*lines, _SUMMARY[report.health], ""])
