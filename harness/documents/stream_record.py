"""How a real-time run went: what the harness's own clock saw, an item at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.documents.run_record import Fault, OutputFile, RunHost


@dataclass(frozen=True, slots=True)
class Jitter:
    """How late frames were handed over, in milliseconds after they were due. None where no frame was."""

    median: float | None
    p99: float | None
    worst: float | None


@dataclass(frozen=True, slots=True)
class ClockedStretch:
    """Speech of the participant without a pause of more than 0.2 s. ``start_s`` and ``end_s`` count from the input's
    start, by the harness's clock. ``after_frame`` is the last input frame that the participant said it had heard when
    it began, ``lag_s`` the time from that frame's hand-over to the first frame's arrival."""

    start_s: float
    end_s: float
    after_frame: int
    lag_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedItem:
    """One input. ``frames`` were due and ``unread`` of them were lost, because the participant did not read.
    ``answered`` frames came, of which ``late`` left a hole (``missing`` whole frames in all), ``flushed`` were taken
    back and ``after_end`` came when the input was over.

    ``clocked_s`` is the delay of the first response by the harness's clock: from the end of the user's speech to the
    first speech of the participant after it; ``claimed_s`` is the same of the file that the team's own program wrote;
    ``difference_s`` = clocked − claimed. None where there is none.
    """

    item: str
    file: str
    frames: int
    unread: int
    answered: int
    late: int
    missing: int
    flushed: int
    after_end: int
    jitter_ms: Jitter
    stretches: tuple[ClockedStretch, ...]
    output: OutputFile
    clocked_s: float | None = None
    claimed_s: float | None = None
    difference_s: float | None = None


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How one of several streams ended. ``why`` is in our words, empty when it completed; of ``inputs`` inputs
    ``streamed`` were streamed to their end."""

    state: str
    fault: Fault
    why: str
    inputs: int
    streamed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRecord:
    """schemas/stream-record. ``state`` is ``completed`` or what ended the worst of the ``streams``; ``not_streamed``
    are the inputs that none came to. ``machine`` tells what else may have shaped the times, ``host`` what ran the
    containers."""

    schema_version: int
    image_id: str
    state: str
    fault: Fault
    why: str
    items: tuple[StreamedItem, ...]
    not_streamed: tuple[str, ...]
    jitter_ms: Jitter
    machine: dict[str, Any]
    profile_sha256: str
    streams: tuple[StreamEnd, ...] = ()
    host: RunHost | None = None
