"""What Track 2 speaks of: inputs and their segments, transcripts with word times. All times are seconds from the first
sample of the input, which is also the first sample of the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of speech in an input, from the organisers' annotation."""

    start_s: float
    end_s: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Where speech stands in an input that lasts ``duration_s``. What each segment is depends on the scenario."""

    duration_s: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognised in one file. No words: nothing was recognised."""

    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class DuplexInput:
    """One line of the organisers' key. ``part`` is set for the two halves of third-party speech only; ``clean`` is the
    name of the input's clean counterpart, when its scenario has one. Names with a slash are paths of a dev folder."""

    file: str
    language: str
    scenario: str
    part: Part | None
    clean: str | None
    annotation: Annotation


@dataclass(frozen=True, slots=True)
class HearingTerms:
    """How the outputs are heard. ``delay_from`` is ``words`` or ``voice``; ``recogniser`` is a profile of the spec and
    ``fingerprint`` its own, both empty when all words are ready ones; ``voice_activity`` is the model and its
    version."""

    delay_from: str
    recogniser: str
    fingerprint: str
    voice_activity: str


# What is said beside delays, by a report's measures "delays" and "delay_from"; other values say nothing.
DELAY_NOTES = {
    "alone": "delays were measured on a machine of its own",
    "shared": "delays were measured on a shared machine",
    "handed_in": "delays are those of the outputs as handed in, not of a run of this harness",
    "voice": "first response delay from the onset of voice activity, not from words",
}


def delay_notes(measures: Mapping[str, Any]) -> tuple[str, ...]:
    """The notes of one report's measures."""
    said = (measures.get("delays"), measures.get("delay_from"))
    return tuple(DELAY_NOTES[key] for key in said if isinstance(key, str) and key in DELAY_NOTES)


def input_path(name: str) -> str:
    """Where an input lies, without .wav: test-000001 in test/, clean-000001 in clean/; a dev path is its own."""
    return name if "/" in name else f"{name.split('-', 1)[0]}/{name}"
