"""What goes into the judge container and what comes out: one line an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ContextTurn:
    """One turn as the judge sees it: the organisers' user text and emotion, the team's reply."""

    turn_id: int
    user: str
    emotion: str
    reply: str


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One item to judge. ``item`` is the digest of everything that may change the verdict.

    ``context`` runs up to and including the evaluated turn, whose reply is the one to judge.
    ``audio`` is the canonical WAV's path inside the request folder, or None. ``dimensions`` are those wanted.
    """

    item: str
    task: str
    language: str
    context: tuple[ContextTurn, ...]
    dimensions: tuple[str, ...]
    audio: str | None = None
    sample: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of verdicts.jsonl (interface of the judge). ``scores`` holds integers of the task's scale, or the
    labels that the spec allows; a dimension that this judge cannot judge is absent. ``evidence`` holds measures
    beside the scores, such as ``speech_s``, the seconds of speech found in the reply's audio."""

    item: str
    sample: int
    scores: dict[str, int | str] | None
    reasons: dict[str, str]
    raw_sha256: str
    attempts: int
    state: Literal["scored", "failed"]
    evidence: dict[str, Any] = field(default_factory=dict)
