"""How running one team image went, and whose fault it was if it did not go well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from harness.documents.latency import LatencyConditions

RunState = Literal[
    "completed",
    "failed",
    "timed_out",
    "out_of_memory",
    "output_missing",
    "output_invalid",
    "output_too_large",
    "start_failed",
    "image_rejected",
    "infrastructure",
]
Fault = Literal["none", "submission", "infrastructure", "unclear"]


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One collected file: path under the collected submission, size and hash."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunHost:
    """What ran the container: ``runtime`` is the site's choice by the engine's name (``runsc``: gVisor), ``engine`` and
    ``kernel`` are versions, ``below_floors`` names what is older than known to be safe, ``preflight`` is the digest of
    the circumstances that the probe was tried under (empty: not tried, the processor has no probe)."""

    runtime: str
    engine: str
    kernel: str
    below_floors: tuple[str, ...]
    preflight: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """`humdial run` writes one. ``codes`` come from the closed list and are all a team may learn on hidden data;
    ``warnings`` are about the host (for instance limits below the official ones) and carry codes of their own.
    ``host`` is None when nothing was asked of the engine. ``wanted_host`` is a host that the program looked for in
    vain: one of a short list of ours, else ``a host``; empty when it looked for none.
    ``latency`` says under what conditions delays were measured, None where none were."""

    schema_version: int
    image_id: str
    state: RunState
    fault: Fault
    exit_code: int | None
    oom_killed: bool
    wall_s: float
    peak_memory_bytes: int | None
    outputs: tuple[OutputFile, ...]
    limits: dict[str, Any]
    profile_sha256: str
    codes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    host: RunHost | None = None
    wanted_host: str = ""
    latency: LatencyConditions | None = None
