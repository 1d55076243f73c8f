"""The one kind of WAV that is read. Where speech is, is tests/hearing's."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.judge.engines.speech import read_pcm16


def write(path: Path, channels: int = 1, width: int = 2, rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(width)
        wav.setframerate(rate)
        wav.writeframes(b"\x01\x00\xff\x7f\x00\x80\x00\x00")
    return path


def test_canonical_audio_is_read_exactly(tmp_path: Path) -> None:
    assert read_pcm16(write(tmp_path / "a.wav")).tolist() == [1, 32767, -32768, 0]


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
