"""What a running evaluation says of itself: events.jsonl for machines, a bar or lines for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EventName = Literal["begun", "started", "ended", "failed", "published", "refused", "unfinished", "stopped"]


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """schemas/progress-event. ``team``, ``stage`` and ``attempt`` are null for what concerns the whole run.

    ``steps_done`` of ``steps``: runs, checks, listening and judgements; ``teams_done`` of ``teams``. ``faulty`` teams
    failed by their own hand-in, ``failed`` ones on our side. ``left_s`` is null as long as nothing can be projected
    from.
    """

    schema_version: int
    seq: int
    at: str
    event: EventName
    team: str | None
    stage: str | None
    attempt: int | None
    text: str
    steps: int
    steps_done: int
    teams: int
    teams_done: int
    faulty: int
    failed: int
    elapsed_s: float
    left_s: float | None
