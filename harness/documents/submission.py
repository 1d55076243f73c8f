"""What a team handed in, after the strict readers: text and measured audio, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

AudioState = Literal["ok", "missing", "silent", "invalid"]


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """One reply WAV. ``path`` is relative to the submission's root; measures are of the decoded samples.

    ``state`` other than ``ok`` names the fault that gives the audio dimensions the lowest value.
    """

    path: str
    state: AudioState
    sha256: str | None = None
    duration_s: float = 0.0
    sample_rate_hz: int = 0


@dataclass(frozen=True, slots=True)
class ReplyTurn:
    """One reply. ``text`` is canonical (NFC, controls and invisible characters removed); None when it is missing.
    ``labels`` are pairs of a label field and what was predicted."""

    turn_id: int
    text: str | None
    audio: ReplyAudio | None = None
    flags: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyDialogue:
    """All replies of one dialogue, turns in order. ``task`` is the challenge's own id, whatever the layout calls it."""

    task: str
    language: str
    dialogue_id: str
    turns: tuple[ReplyTurn, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """A model, data set or program that the team declares."""

    kind: str
    name: str
    version: str = ""
    url: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A validated submission. ``display_name`` is free text and hostile; ``team`` is a safe id. ``pairs`` are the
    outputs of a full-duplex track by the path of their input without .wav."""

    team: str
    display_name: str
    system: str
    layout: str
    track: str
    dialogues: tuple[ReplyDialogue, ...]
    resources: tuple[Resource, ...] = ()
    declarations: tuple[tuple[str, bool], ...] = ()
    pairs: dict[str, ReplyAudio] = field(default_factory=dict)
