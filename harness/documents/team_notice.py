"""What a team may be told about a run on hidden data: words from closed lists, and numbers with few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.documents.run_record import Fault, RunState

Times = Literal["1", "2-9", "10-99", "100+"]


@dataclass(frozen=True, slots=True)
class NoticeCode:
    """A code that came up; ``title`` is the registry's, ``times`` roughly how often."""

    code: str
    title: str
    times: Times


@dataclass(frozen=True, slots=True)
class TeamNotice:
    """``wanted_host`` as in the run record. The tenths say how much of the time and of the memory was used, 0 to 10,
    rounded up; memory is None when it was not measured. No path, no id, no text, no exact number."""

    schema_version: int
    image_id: str
    state: RunState
    fault: Fault
    codes: tuple[NoticeCode, ...]
    wanted_host: str
    time_tenths: int
    memory_tenths: int | None
