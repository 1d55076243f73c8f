"""What a team learns from a pre-check: will its image finish in time on the hidden set, and what to fix before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.documents.finding import ChallengeRef, Finding

Verdict = Literal["ready", "uncertain", "not_ready"]


@dataclass(frozen=True, slots=True)
class PrecheckRun:
    """One run of the image on ``dialogues`` dialogues of the dev set."""

    dialogues: int
    state: str
    wall_s: float
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Projection:
    """Seconds on a set of ``dialogues``: a fixed cost (start, loading) and one a dialogue. ``low_s`` to ``high_s`` is
    where the answer lies if the cost is linear and every measurement was off by at most its jitter."""

    dialogues: int
    limit_s: float
    fixed_s: float
    per_dialogue_s: float
    expected_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes: the most that was seen, what the hidden set is expected to take, and the official limit."""

    seen_bytes: int
    expected_bytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class PrecheckReport:
    """schemas/precheck-report. ``offline`` is true when the image did its work without a network, which it never had;
    ``hosts`` are names that its log says it tried to reach. ``fixes`` are findings, the gravest first."""

    schema_version: int
    image_id: str
    verdict: Verdict
    runs: tuple[PrecheckRun, ...]
    time: Projection | None
    memory: Amount | None
    output: Amount | None
    valid: bool | None
    offline: bool
    hosts: tuple[str, ...]
    fixes: tuple[Finding, ...]
    challenge: ChallengeRef
    harness_version: str
