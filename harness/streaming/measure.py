"""What one streamed item comes to: counts, jitter and stretches. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.documents.run_record import OutputFile
from harness.documents.stream_record import ClockedStretch, Jitter, StreamedItem
from harness.streaming.playout import Stretch, frame_due_s
from harness.streaming.protocol import RATE_HZ
from harness.streaming.session import ItemRun


def streamed_item(run: ItemRun, file: str, output: OutputFile) -> StreamedItem:
    """The record of one item, times in seconds rounded to a tenth of a millisecond."""
    return StreamedItem(
        item=run.item,
        file=file,
        frames=run.frames,
        unread=run.sent_s.count(None),
        answered=run.playout.frames,
        late=run.playout.late,
        missing=run.playout.missing,
        flushed=run.playout.flushed,
        after_end=run.after_end,
        jitter_ms=jitter(lateness_s(run)),
        stretches=tuple(_clocked(stretch, run.sent_s) for stretch in run.playout.stretches),
        output=output,
    )


def lateness_s(run: ItemRun) -> list[float]:
    """Seconds from when each frame was due to when it had been handed over; lost frames are left out."""
    return [sent - frame_due_s(index) for index, sent in enumerate(run.sent_s) if sent is not None]


def jitter(lateness: Iterable[float]) -> Jitter:
    """Median, 99th percentile and worst by nearest rank, in milliseconds with three decimals."""
    ordered = sorted(lateness)
    if not ordered:
        return Jitter(None, None, None)

    def rank(share: float) -> float:
        return round(1000 * ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)

    return Jitter(rank(0.5), rank(0.99), round(1000 * ordered[-1], 3))


def _clocked(stretch: Stretch, sent_s: Sequence[float | None]) -> ClockedStretch:
    heard = sent_s[stretch.after_frame]
    return ClockedStretch(
        start_s=round(stretch.start / RATE_HZ, 4),
        end_s=round(stretch.end / RATE_HZ, 4),
        after_frame=stretch.after_frame,
        lag_s=None if heard is None else round(stretch.received_s - heard, 4),
    )
