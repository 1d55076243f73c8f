"""Seconds of speech from frame probabilities, and the one kind of WAV that is read. The model is in the container."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.judge.engines.speech import read_pcm16, speech_seconds

FRAME_S = 512 / 16000


@pytest.mark.parametrize(
    ("chances", "frames"),
    [
        ([], 0),
        ([0.1] * 100, 0),
        ([0.9] * 100, 100),
        ([0.49] * 100, 0),
        ([0.0] * 10 + [0.8] * 20 + [0.0] * 10, 20),
        ([0.8] * 7 + [0.0] * 10, 0),  # 224 ms: too short to be speech
        ([0.8] * 8 + [0.0] * 10, 8),  # 256 ms
        ([0.8] * 20 + [0.0] * 2 + [0.8] * 20, 42),  # a breath does not end it
        ([0.8] * 20 + [0.0] * 4 + [0.8] * 20, 40),
        ([0.8] * 20 + [0.4] * 30 + [0.0] * 10, 50),  # between the two thresholds it goes on
    ],
)
def test_stretches_of_speech(chances: list[float], frames: int) -> None:
    assert speech_seconds(chances) == pytest.approx(frames * FRAME_S, abs=1e-9)


def write(path: Path, channels: int = 1, width: int = 2, rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(width)
        wav.setframerate(rate)
        wav.writeframes(b"\x01\x00\xff\x7f\x00\x80\x00\x00")
    return path


def test_canonical_audio_is_read_exactly(tmp_path: Path) -> None:
    assert read_pcm16(write(tmp_path / "a.wav")) == [1, 32767, -32768, 0]


@pytest.mark.parametrize("wrong", [{"channels": 2}, {"width": 1}, {"rate": 8000}])
def test_other_audio_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(MachineError) as caught:
        read_pcm16(write(tmp_path / "a.wav", **wrong))
    assert caught.value.code == "E_AUDIO"


def test_missing_or_broken_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    for name in ("a.wav", "b.wav"):
        with pytest.raises(MachineError):
            read_pcm16(tmp_path / name)
