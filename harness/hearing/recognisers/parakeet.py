"""NVIDIA's Parakeet through NeMo, the published recogniser of English. Thin: NeMo is not in the judge image and no
weights were ever loaded by this project's tests, only the reading of its answer is tested."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.documents.duplex import Transcript, Word


class Parakeet:
    """The one .nemo file of a folder of weights. It hears the whole file at once, as the published script does."""

    def __init__(self, weights: Path) -> None:
        from nemo.collections.asr.models import ASRModel

        self._model: Any = ASRModel.restore_from(str(next(weights.glob("*.nemo")))).eval()

    def transcript(self, path: Path) -> Transcript:
        (answer,) = self._model.transcribe([str(path)], timestamps=True)
        return transcript_of(answer.text, answer.timestamp)

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("nemo_toolkit", "torch")}


def transcript_of(text: str, timestamp: Mapping[str, Any]) -> Transcript:
    """From a hypothesis: ``timestamp["word"]`` lists words with start and end in seconds."""
    words = (Word(word["word"], float(word["start"]), float(word["end"])) for word in timestamp["word"])
    return Transcript(text, tuple(words))
