"""Speech by espeak-ng: 16 kHz mono PCM16, pitch and speed after the emotion, every distinct utterance spoken once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import wave
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE_HZ = 16000

# Plain `cmn` spells Chinese characters out with English letters; the pinyin voice reads them as Mandarin.
VOICES = {
    "zh": ("cmn-latn-pinyin", "cmn-latn-pinyin+f2", "cmn-latn-pinyin+m3"),
    "en": ("en-us", "en-gb+f2", "en-us+m3"),
}
REPLY_VOICES = {"zh": "cmn-latn-pinyin+f4", "en": "en-gb+f4"}

# Emotion → pitch (0–99), words a minute, amplitude (0–200; from about 100 on some voices clip).
PROSODY = {
    "neutral": (50, 165, 70),
    "happy": (62, 178, 78),
    "sad": (38, 138, 56),
    "anger": (54, 188, 90),
    "fear": (66, 184, 64),
    "surprise": (72, 172, 80),
    "disgust": (44, 150, 74),
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is said and how; equal utterances are the same bytes."""

    text: str
    voice: str
    pitch: int
    speed: int
    amplitude: int


def prosody(random: Random, text: str, voice: str, emotion: str) -> Utterance:
    """The sentence in the emotion's manner, a little different each time, as people are."""
    pitch, speed, amplitude = PROSODY[emotion]
    return Utterance(text, voice, pitch + random.choice((-3, 0, 3)), speed + random.choice((-8, 0, 8)), amplitude)


def plain(text: str, voice: str) -> Utterance:
    """The sentence in a calm, friendly manner."""
    return Utterance(text, voice, 52, 170, 70)


class Synthesiser:
    """Speaks utterances into a folder of WAV files, one for each distinct utterance, and gives their paths."""

    def __init__(self, cache: Path) -> None:
        """Raises SystemExit when espeak-ng is not installed, with what to do."""
        if shutil.which("espeak-ng") is None:
            raise SystemExit("espeak-ng is not installed; on Debian or Ubuntu: apt-get install espeak-ng")
        version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
        self._version = version.split("Data at")[0].strip()
        self._cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def path(self, utterance: Utterance) -> Path:
        """Where the spoken utterance lies (or will lie, before speak_all)."""
        key = json.dumps([self._version, asdict(utterance)], ensure_ascii=False, sort_keys=True)
        return self._cache / f"{hashlib.sha256(key.encode()).hexdigest()}.wav"

    def speak_all(self, utterances: Iterable[Utterance]) -> None:
        """Speak what is not spoken yet, on all cores."""
        wanted = [utterance for utterance in dict.fromkeys(utterances) if not self.path(utterance).exists()]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(self._speak, wanted))

    def speak(self, utterance: Utterance) -> Path:
        """Speak one utterance if needed; its path."""
        self.speak_all([utterance])
        return self.path(utterance)

    def _speak(self, utterance: Utterance) -> None:
        command = ["espeak-ng", "-v", utterance.voice, "-p", str(utterance.pitch), "-s", str(utterance.speed)]
        command += ["-a", str(utterance.amplitude), "--stdout", "--", utterance.text]
        spoken = subprocess.run(command, capture_output=True, check=True).stdout
        samples, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
        path = self.path(utterance)
        unfinished = path.with_suffix(f".{os.getpid()}.part")  # another process may speak the same
        write_wav(unfinished, soxr.resample(samples, rate, RATE_HZ))
        unfinished.replace(path)


def write_wav(path: Path, samples: npt.NDArray[np.floating]) -> None:
    """Samples of full scale 1.0 as 16 kHz mono PCM16 with the plain 44-byte header."""
    pcm = np.clip(np.rint(np.asarray(samples) * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE_HZ)
        target.writeframes(pcm.tobytes())


def read_wav(path: Path) -> npt.NDArray[np.floating]:
    """The samples of one of our own files, full scale 1.0."""
    samples, _ = soundfile.read(path, dtype="float64")
    return samples
