"""Checkpoints of the Whisper family through transformers. Thin: no such checkpoint was ever loaded by this project's
tests, only the reading of its answer is tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.documents.duplex import Transcript, Word
from harness.hearing.recognisers.stretches import by_stretches
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMES = {"en": "english", "zh": "chinese"}


class Whisper:
    """One checkpoint folder; ``language`` is told to the model, so that it does not guess."""

    def __init__(self, language: str, weights: Path) -> None:
        from transformers import pipeline

        self._asked = {"language": _NAMES.get(language, language), "task": "transcribe", "do_sample": False}
        self._pipeline: Any = pipeline("automatic-speech-recognition", model=str(weights), local_files_only=True)
        self._activity = VoiceActivity()

    def transcript(self, path: Path) -> Transcript:
        return by_stretches(path, self._activity, self._hear)

    def _hear(self, samples: NDArray[np.float32]) -> Iterator[Word]:
        given = {"raw": samples, "sampling_rate": RATE_HZ}
        answer = self._pipeline(given, return_timestamps="word", generate_kwargs=self._asked)
        return words_of(answer, len(samples) / RATE_HZ)

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("transformers", "torch", "silero-vad")}


def words_of(answer: Mapping[str, Any], duration_s: float) -> Iterator[Word]:
    """The words of a pipeline's answer. The last one's end may be missing: it then ends with the stretch."""
    for chunk in answer["chunks"]:
        start, end = chunk["timestamp"]
        yield Word(chunk["text"].strip(), float(start), duration_s if end is None else float(end))
