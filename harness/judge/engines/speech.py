"""Seconds of speech in a canonical WAV, by silero-vad with the weights in its wheel (its package is not imported: it
wants torchaudio, which is not needed for one model on 16 kHz samples)."""

from __future__ import annotations

import sys
import wave
from array import array
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import MachineError

RATE_HZ = 16_000
FRAME = 512  # samples
ENTER, LEAVE = 0.5, 0.35  # probabilities at which speech starts and ends
MIN_SPEECH_S, MIN_SILENCE_S = 0.25, 0.1


class SpeechMeter:
    """The loaded voice activity model."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self._model: Any = torch.jit.load(str(weights_path()), map_location="cpu").eval()

    def speech_s(self, path: Path) -> float:
        """Seconds of speech in ``path``, a 16 kHz mono PCM16 WAV. Raises MachineError (E_AUDIO) for anything else."""
        return self.seconds(read_pcm16(path))

    def seconds(self, samples: Sequence[int]) -> float:
        """Seconds of speech in PCM16 samples at 16 kHz; 0 for no samples."""
        import torch

        if not samples:
            return 0.0
        signal = torch.tensor(samples, dtype=torch.float32) / 32768
        signal = torch.nn.functional.pad(signal, (0, -len(signal) % FRAME))
        self._model.reset_states()
        with torch.inference_mode():
            chances = [float(self._model(frame, RATE_HZ)) for frame in signal.split(FRAME)]
        return round(speech_seconds(chances), 3)


def speech_seconds(chances: list[float]) -> float:
    """The length of all stretches of speech, from the probability of each 512-sample frame (32 ms).

    A stretch starts at 0.5, ends when 0.1 s stay below 0.35, and counts from 0.25 s on.
    """
    frame_s = FRAME / RATE_HZ
    total, start, quiet = 0.0, None, None
    for index, chance in enumerate([*chances, *[0.0] * 4]):
        now = index * frame_s
        if start is None:
            start = now if chance >= ENTER else None
            continue
        if chance >= LEAVE:
            quiet = None if chance >= ENTER or quiet is None else quiet
            continue
        quiet = now if quiet is None else quiet
        if now - quiet >= MIN_SILENCE_S - frame_s:
            total += quiet - start if quiet - start >= MIN_SPEECH_S else 0.0
            start = quiet = None
    return total


def read_pcm16(path: Path) -> list[int]:
    """The samples. The file is our own canonical one, so anything unexpected is a fault of ours."""
    try:
        with wave.open(str(path), "rb") as wav:
            if (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) != (1, 2, RATE_HZ):
                raise wave.Error("it is not 16 kHz mono PCM16")
            samples = array("h", wav.readframes(wav.getnframes()))
    except (OSError, EOFError, wave.Error) as error:
        raise MachineError(f"canonical audio cannot be read: {error}", code="E_AUDIO", hint="judge again") from error
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tolist()


def weights_path() -> Path:
    """The JIT weights inside the installed silero-vad."""
    spec = find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "data" / "silero_vad.jit"
        if path.is_file():
            return path
    raise MachineError("silero-vad is not installed", code="E_AUDIO", hint="build the judge image again")
