"""Whisper models in CTranslate2's format, by faster-whisper, on the CPU: one thread, fp32, no sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.documents.duplex import Transcript, Word
from harness.hearing.recognisers.stretches import by_stretches
from harness.hearing.voice_activity import VoiceActivity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CT2Whisper:
    """``settings`` may name the width of the search, ``beams``."""

    def __init__(self, language: str, weights: Path, settings: Mapping[str, Any]) -> None:
        from faster_whisper import WhisperModel

        self._language, self._beams = language, int(settings.get("beams", 5))
        self._model: Any = WhisperModel(
            str(weights), device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True
        )
        self._activity = VoiceActivity()

    def transcript(self, path: Path) -> Transcript:
        return by_stretches(path, self._activity, self._hear)

    def _hear(self, samples: NDArray[np.float32]) -> Iterator[Word]:
        found, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=self._beams,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        for segment in found:
            for word in segment.words or ():
                yield Word(word.word.strip(), float(word.start), float(word.end))

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("faster-whisper", "ctranslate2", "silero-vad")}
