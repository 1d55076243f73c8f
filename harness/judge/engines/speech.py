"""The samples of a canonical WAV, and how many seconds of speech are in it by the room `hearing`."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import MachineError
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SpeechMeter:
    """The loaded voice activity model."""

    def __init__(self) -> None:
        self._activity = VoiceActivity()

    def seconds(self, samples: NDArray[np.int16]) -> float:
        """Seconds of speech in samples at 16 kHz, to the millisecond; 0 for no samples."""
        return round(sum(end - start for start, end in self._activity.segments(samples)) / RATE_HZ, 3)


def read_pcm16(path: Path) -> NDArray[np.int16]:
    """The samples of a 16 kHz mono PCM16 WAV. The file is our own canonical one, so anything unexpected is a fault of
    ours: raises MachineError (E_AUDIO)."""
    import numpy as np

    try:
        with wave.open(str(path), "rb") as wav:
            if (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) != (1, 2, RATE_HZ):
                raise wave.Error("it is not 16 kHz mono PCM16")
            return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
    except (OSError, EOFError, wave.Error, ValueError) as error:
        raise MachineError(f"canonical audio cannot be read: {error}", code="E_AUDIO", hint="judge again") from error
