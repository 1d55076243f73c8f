"""Recognition stretch by stretch. Models of the Whisper family invent words in silence, and most of an output is
silence: only what voice activity finds is given to them, and each stretch's words are held to its own time."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.documents.duplex import Transcript, Word
from harness.errors import MachineError
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hear = Callable[[NDArray[np.float32]], Iterable[Word]]

_JOINED = RATE_HZ // 2  # pauses up to half a second do not part two stretches
_LONGEST = 29 * RATE_HZ  # a model of this family hears 30 s at once


def read_canonical(path: Path) -> NDArray[np.int16]:
    """The samples of one of our own WAVs. Raises MachineError (E_AUDIO) for anything else."""
    import numpy as np

    try:
        with wave.open(str(path), "rb") as wav:
            if (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) != (1, 2, RATE_HZ):
                raise wave.Error("it is not 16 kHz mono PCM16")
            return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise MachineError(f"canonical audio cannot be read: {error}", code="E_AUDIO", hint="run again") from error


def by_stretches(path: Path, activity: VoiceActivity, hear: Hear) -> Transcript:
    """What ``hear`` makes of each stretch of speech (samples of full scale 1.0, times from its first one), with the
    times of the whole file."""
    import numpy as np

    samples = read_canonical(path)
    words: list[Word] = []
    for start, end in stretches(activity.segments(samples)):
        begin_s, end_s = start / RATE_HZ, end / RATE_HZ
        for word in hear(samples[start:end].astype(np.float32) / np.float32(32768)):
            first = min(max(begin_s + word.start_s, begin_s), end_s)
            last = min(max(begin_s + word.end_s, first), end_s)
            words.append(Word(word.text, round(first, 3), round(last, 3)))
    words.sort(key=lambda word: word.start_s)
    return Transcript(" ".join(word.text for word in words), tuple(words))


def stretches(segments: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours joined over short pauses, and what is too long for the model cut (samples)."""
    joined: list[tuple[int, int]] = []
    for start, end in segments:
        if joined and start - joined[-1][1] <= _JOINED and end - joined[-1][0] <= _LONGEST:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [
        (at, min(at + _LONGEST, end)) for start, end in joined for at in range(start, max(end, start + 1), _LONGEST)
    ]
