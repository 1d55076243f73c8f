"""The organisers' side of a dialogue: what the user said and felt. Never on a path that a team's container sees."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceTurn:
    """One user turn; ``audio_file`` is relative to the folder of the dialogue's JSONL. ``labels`` are pairs of a label
    field of an unranked recognition task and its true label."""

    turn_id: int
    text: str | None
    emotion: str | None
    audio_file: str | None
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceDialogue:
    """One dialogue of the inputs or references, turns in order. ``task`` is the challenge's own id."""

    task: str
    language: str
    dialogue_id: str
    turns: tuple[ReferenceTurn, ...]
