"""Dialogues with audio that carries metadata, as organisers might have them: what the sandbox tests stage."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.documents.reference import ReferenceDialogue

MIB = 1024**2
SECRET_TEXT = "我今天很难过 because the exam went badly"
BuildImage = Callable[..., str]


@dataclass(frozen=True)
class Inputs:
    root: Path
    dialogues: Sequence[ReferenceDialogue]


def wav_with_metadata(samples: int, note: bytes) -> bytes:
    """A sound 16 kHz WAV with a LIST chunk that a decoder skips and that a careless copy would carry along."""
    data = b"".join(struct.pack("<h", (n * 37) % 2000 - 1000) for n in range(samples))
    note += b"\0" * (len(note) % 2)
    listing = b"LIST" + struct.pack("<I", 4 + 8 + len(note)) + b"INFO" + b"INAM" + struct.pack("<I", len(note)) + note
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    body = b"WAVE" + fmt + listing + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body
