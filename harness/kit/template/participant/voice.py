"""A hum in place of a speech synthesiser: one syllable after another, higher or lower by the text. 16-bit mono PCM."""

from __future__ import annotations

import array
import math
import sys
import wave
from pathlib import Path

SYLLABLE_S = 0.14
HARMONICS = (1.0, 0.6, 0.4, 0.25, 0.15)
SYLLABLES: dict[tuple[int, int], bytes] = {}


def syllable(rate: int, pitch_hz: int) -> bytes:
    """One hummed syllable that swells and fades; kept, since there are few pitches."""
    found = SYLLABLES.get((rate, pitch_hz))
    if found is None:
        length = int(SYLLABLE_S * rate)
        samples = array.array("h")
        for index in range(length):
            angle = 2 * math.pi * pitch_hz * index / rate
            tone = sum(gain * math.sin(angle * number) for number, gain in enumerate(HARMONICS, 1))
            samples.append(int(6000 * math.sin(math.pi * index / length) * tone / sum(HARMONICS)))
        if sys.byteorder == "big":
            samples.byteswap()
        found = SYLLABLES[(rate, pitch_hz)] = samples.tobytes()
    return found


def speak(text: str, path: Path, facts: dict) -> None:
    """Write ``text`` as a hum to ``path``, between the shortest and the longest audio that the challenge allows."""
    rate = facts["rate_hz"]
    longest = int(facts["max_audio_s"] / SYLLABLE_S) - 1
    least = int(facts["min_audio_s"] / SYLLABLE_S) + 2
    pitches = [120 + 10 * (ord(character) % 9) for character in text if character.isalnum()][: min(longest, 30)]
    pitches += [120] * (least - len(pitches))
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(syllable(rate, pitch) for pitch in pitches))
