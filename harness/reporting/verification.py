"""What `humdial verify` found, for a person."""

from __future__ import annotations

from harness.documents.verification import VerificationReport
from harness.reporting.hostile_text import visible

_UNITS = {
    "blobs": "blobs",
    "records": "records",
    "teams": "teams",
    "hand_ins": "hand-ins",
    "verdicts": "verdicts",
    "items": "items",
}


def verification_text(report: VerificationReport) -> bytes:
    """The answer first, then what it rests on."""
    lines = []
    if report.difference is None:
        state = "published" if report.published else "finished, not published" if report.finished else "unfinished"
        lines.append(f"{visible(report.run)}: verified ({state})")
    else:
        first = report.difference
        lines.append(f"{visible(report.run)}: NOT VERIFIED")
        lines.append(f"first difference: {visible(first.where)}: {visible(first.what, 500)}")
        if first.stored is not None or first.recomputed is not None:
            lines.append(f"  stored:     {visible(first.stored or 'nothing')}")
            lines.append(f"  recomputed: {visible(first.recomputed or 'nothing')}")
    lines.append("checked: " + ", ".join(f"{count} {_UNITS[name]}" for name, count in report.checked.items()))
    if report.not_stored:
        lines.append(
            "not looked at, because a run keeps no hand-ins (pass --hand-ins TEAMS.toml): "
            + ", ".join(report.not_stored)
        )
    if report.scoring:
        lines.append(f"scoring: {report.scoring}")
    lines += [f"made by: humdial {each['harness_version']}, program {each['code']}" for each in report.made_by]
    if report.attestation is not None:
        signed = report.attestation
        lines.append(f"attestation: {visible(signed.path)} holds for {signed.subjects} files (key {signed.keyid})")
    return ("\n".join(lines) + "\n").encode()
