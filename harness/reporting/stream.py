"""A stream record for a person: the state, the harness's own punctuality, and one line an input."""

from __future__ import annotations

from tabulate import tabulate

from harness.documents.stream_record import Jitter, StreamedItem, StreamRecord
from harness.reporting.hostile_text import visible

_HEAD = ("input", "frames", "answered", "late", "missing", "unread", "first response s", "claimed s", "difference s")


def stream_text(record: StreamRecord) -> str:
    """State, jitter, the table; what was not streamed is counted. Delays are in seconds, None shows as a dash."""
    fault = "" if record.fault == "none" else f" (fault: {record.fault})"
    why = f": {record.why}" if record.why else ""
    machine = record.machine
    real_time = "with" if machine["real_time"] else "without"
    lines = [
        f"state    {record.state}{fault}{why}",
        f"image    {record.image_id}",
        f"pacing   {_jitter(record.jitter_ms)} after a frame was due; {real_time} real-time scheduling, "
        f"load {machine['load_before']} to {machine['load_after']} on {machine['cpus']} processors",
    ]
    if len(record.streams) > 1:
        lines += [
            f"stream {number}  {end.state}, {end.streamed} of {end.inputs} inputs" + (f": {end.why}" if end.why else "")
            for number, end in enumerate(record.streams, 1)
        ]
    if record.items:
        rows = [_row(item) for item in record.items]
        lines += ["", tabulate(rows, headers=_HEAD, disable_numparse=True, colalign=("left", *["right"] * 8))]
    if record.not_streamed:
        lines += [
            "",
            f"not streamed: {len(record.not_streamed)} inputs, the first is {visible(record.not_streamed[0])}",
        ]
    return "\n".join(lines) + "\n"


def _jitter(jitter: Jitter) -> str:
    if jitter.median is None:
        return "no frame was handed over"
    return f"median {jitter.median:.2f} ms, 99 % {jitter.p99:.2f} ms, worst {jitter.worst:.2f} ms"


def _row(item: StreamedItem) -> tuple[str, ...]:
    counts = (item.frames, item.answered, item.late, item.missing, item.unread)
    delays = (item.clocked_s, item.claimed_s, item.difference_s)
    return (visible(item.file), *map(str, counts), *("–" if delay is None else f"{delay:.3f}" for delay in delays))
