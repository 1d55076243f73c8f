"""What the readers of files need of the spec; apart from it, so that the child that reads starts at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudioRules:
    min_rate_hz: int
    max_rate_hz: int
    advised_rate_hz: int
    min_duration_s: float
    max_duration_s: float
    silent_peak: float
    min_speech_s: float
    max_bytes: int
    downmix_stereo: bool


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Caps on what is read. The ``child_`` ones are for the process that reads archives and audio; ``child_cpu_s`` is
    the processor time that one WAV may take, and an archive beside what its size needs."""

    archive_bytes: int
    inflated_bytes: int
    members: int
    member_ratio: int
    ratio_from_bytes: int
    jsonl_bytes: int
    line_bytes: int
    lines: int
    values: int
    faults: int
    depth: int
    path_bytes: int
    name_bytes: int
    extra_keys: int
    wav_chunks: int
    child_memory_bytes: int
    child_cpu_s: int
    child_nofile: int
