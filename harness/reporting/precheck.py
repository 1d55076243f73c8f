"""A pre-check for a person: the answer first, then the figures behind it, then what to fix."""

from __future__ import annotations

from harness.documents.precheck import Amount, PrecheckReport, Projection
from harness.reporting.hostile_text import visible

_MEBIBYTE = 1 << 20


def precheck_text(report: PrecheckReport) -> str:
    """A screenful. Times are whole seconds, memory MiB."""
    lines = [_answer(report)]
    if report.time is not None:
        lines += _time(report.time)
    for name, amount in (("memory", report.memory), ("output", report.output)):
        if amount is not None:
            lines.append(_amount(name, amount))
    valid = {None: "not known", True: "yes", False: "no"}[report.valid]
    lines.append(f"valid     {valid}")
    lines.append(
        f"offline   {'yes, it worked without a network' if report.offline else 'not known: it did not finish'}"
    )
    for run in report.runs:
        peak = "" if run.peak_memory_bytes is None else f", peak {run.peak_memory_bytes / _MEBIBYTE:,.0f} MiB"
        lines.append(f"run       {run.dialogues} dialogues: {run.state}, {run.wall_s:.1f} s{peak}")
    if report.fixes:
        lines += ["", "to fix:" if any(fix.severity == "error" for fix in report.fixes) else "to look at:"]
    for fix in report.fixes:
        place = f"{visible(fix.file)}{f':{fix.line}' if fix.line else ''}: " if fix.file else ""
        lines.append(f"  {fix.severity} {fix.code}: {place}{visible(fix.message)}")
        lines += [f"      {visible(fix.hint)}"] if fix.hint else []
    return "\n".join(lines) + "\n"


def _answer(report: PrecheckReport) -> str:
    if report.verdict == "not_ready":
        return "not ready: it would fail on the hidden set"
    if report.verdict == "uncertain":
        why = "the time may not suffice" if report.time else "the size of the hidden set is not known (--hidden)"
        return f"uncertain: it completes, but {why}"
    return "ready: it will complete" + (", but see below" if report.fixes else "")


def _time(time: Projection) -> list[str]:
    return [
        f"time      {time.expected_s:,.0f} s expected on {time.dialogues} dialogues, between {time.low_s:,.0f} and "
        f"{time.high_s:,.0f} s; the limit is {time.limit_s:,.0f} s",
        f"          {time.fixed_s:.1f} s to start and {time.per_dialogue_s:.3f} s a dialogue, on this machine",
    ]


def _amount(name: str, amount: Amount) -> str:
    seen, expected, limit = (x / _MEBIBYTE for x in (amount.seen_bytes, amount.expected_bytes, amount.limit_bytes))
    return f"{name:<9} {seen:,.0f} MiB seen, {expected:,.0f} MiB expected; the limit is {limit:,.0f} MiB"
