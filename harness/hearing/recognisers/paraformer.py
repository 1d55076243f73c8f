"""Paraformer through FunASR, the published recogniser of Chinese. Thin: FunASR is not in the judge image and no weights
were ever loaded by this project's tests, only the reading of its answer is tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.documents.duplex import Transcript, Word

# Folders below the weights: the recogniser, and the voice activity model that cuts the audio for it.
_MODEL, _ACTIVITY = "paraformer-zh", "fsmn-vad"


class Paraformer:
    """The pair of models as the published script loads it, from local folders."""

    def __init__(self, weights: Path) -> None:
        from funasr import AutoModel

        places = {"model": str(weights / _MODEL), "vad_model": str(weights / _ACTIVITY)}
        self._model: Any = AutoModel(**places, disable_update=True, disable_pbar=True)

    def transcript(self, path: Path) -> Transcript:
        return transcript_of(self._model.generate(input=str(path)))

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("funasr", "torch")}


def transcript_of(answer: Sequence[Mapping[str, Any]]) -> Transcript:
    """From one file's answer: tokens parted by blanks, and for each its start and end in milliseconds.

    Raises ValueError when there are not as many times as tokens.
    """
    if not answer:
        return Transcript("", ())
    text = str(answer[0].get("text", ""))
    tokens, times = text.split(), answer[0].get("timestamp") or []
    words = (Word(token, start / 1000, end / 1000) for token, (start, end) in zip(tokens, times, strict=True))
    return Transcript(text, tuple(words))
