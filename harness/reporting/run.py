"""A run record for a person: state, whose fault, what was used, and what the outputs are worth."""

from __future__ import annotations

from collections import Counter

from harness.documents.codes import lookup
from harness.documents.finding import ValidationReport
from harness.documents.latency import LatencyConditions
from harness.documents.run_record import RunRecord

_MEBIBYTE = 1 << 20
_SHOWN = 12


def run_text(record: RunRecord, validation: ValidationReport | None) -> str:
    """A few lines; findings on the outputs are grouped by code, since the files came from a container."""
    memory = "unknown" if record.peak_memory_bytes is None else f"{record.peak_memory_bytes / _MEBIBYTE:.0f} MiB"
    fault = "" if record.fault == "none" else f" (fault: {record.fault})"
    lines = [
        f"state    {record.state}{fault}",
        f"image    {record.image_id}",
        f"used     {record.wall_s:.1f} s of {record.limits.get('wall_s')} s, peak memory {memory}"
        + (", killed for memory" if record.oom_killed else ""),
        f"outputs  {len(record.outputs)} files, {sum(output.bytes for output in record.outputs) / _MEBIBYTE:.1f} MiB",
    ]
    lines += [f"  {code}: {lookup(code).title}" for code in (*record.codes, *record.warnings)]
    if record.latency is not None:
        lines += _latency(record.latency)
    if record.wanted_host:
        named = record.wanted_host if "." in record.wanted_host else "a host that container.log names"
        lines.append(f"offline  it looked for {named}; bake the files into the image and load them by path")
    if validation is not None:
        lines += _grouped(validation)
    return "\n".join(lines) + "\n"


def _latency(conditions: LatencyConditions) -> list[str]:
    """What a delay is worth: who else used the machine."""
    parts = [f"{share:.1%} {what}" for share, what in (
        (conditions.busy_before, "in use before"), (conditions.busy_by_others, "by others meanwhile")
    ) if share is not None]  # fmt: skip
    used = f"processors {', '.join(parts)}; " if parts else ""
    line = f"delays   {'shared machine' if conditions.shared else 'machine of its own'}: {used}"
    return [
        f"{line}load {conditions.load_before[0]} before, {conditions.load_after[0]} after",
        *(f"  {why}" for why in conditions.why),
    ]


def _grouped(validation: ValidationReport) -> list[str]:
    counts = Counter((finding.severity, finding.code) for finding in validation.findings)
    lines = [f"checked  {validation.checked.dialogues} dialogues, {validation.checked.audio_seconds:.0f} s of audio"]
    for (severity, code), count in sorted(counts.items())[:_SHOWN]:
        first = next(finding for finding in validation.findings if finding.code == code)
        place = f" ({first.file}{f':{first.line}' if first.line else ''})" if first.file else ""
        more = f" and {count - 1} more" if count > 1 else ""
        lines.append(f"  {severity} {code}: {first.message}{place}{more}")
    if len(counts) > _SHOWN:
        lines.append(f"  +{len(counts) - _SHOWN} more kinds in validation.json")
    return lines
