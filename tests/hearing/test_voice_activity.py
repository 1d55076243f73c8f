"""Speech segments from probabilities: the corners of the rules. The real model is heard in tests/duplex."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MachineError
from harness.hearing import voice_activity
from harness.hearing.voice_activity import FRAME, MIN_SPEECH, PAD, VoiceActivity, speech_segments

CHANCES = st.lists(st.sampled_from([0.0, 0.34, 0.35, 0.4, 0.49, 0.5, 0.9]), max_size=120)


def frames(*runs: tuple[int, float]) -> list[float]:
    return [chance for count, chance in runs for _ in range(count)]


def test_speech_to_the_end_of_the_file() -> None:
    assert speech_segments(frames((10, 0.1), (20, 0.9)), 30 * FRAME) == [(10 * FRAME - PAD, 30 * FRAME)]


def test_too_short_to_be_speech() -> None:
    assert speech_segments(frames((5, 0.1), (7, 0.9), (9, 0.1)), 21 * FRAME) == []
    assert len(speech_segments(frames((5, 0.1), (8, 0.9), (9, 0.1)), 22 * FRAME)) == 1


def test_a_short_pause_is_no_pause() -> None:
    """Four quiet frames end speech: the fourth starts 96 ms after the first, the fifth 128 ms."""
    assert len(speech_segments(frames((10, 0.9), (4, 0.1), (10, 0.9)), 24 * FRAME)) == 1
    assert len(speech_segments(frames((10, 0.9), (5, 0.1), (10, 0.9)), 25 * FRAME)) == 2


def test_between_the_thresholds_nothing_changes() -> None:
    assert speech_segments(frames((40, 0.45)), 40 * FRAME) == []
    assert speech_segments(frames((10, 0.9), (40, 0.4)), 50 * FRAME) == [(0, 50 * FRAME)]


@given(CHANCES, st.integers(0, FRAME - 1))
def test_segments_are_ordered_and_inside_the_file(chances: list[float], missing: int) -> None:
    samples = max(len(chances) * FRAME - missing, 0)
    found = speech_segments(chances, samples)
    edges = [edge for segment in found for edge in segment]
    assert edges == sorted(edges)
    assert all(0 <= edge <= samples for edge in edges)
    assert all(end - start > MIN_SPEECH for start, end in found)


def test_silence_and_noise_are_no_speech() -> None:
    activity = VoiceActivity()
    assert activity.segments(np.zeros(32_000, np.int16)) == []
    noise = np.random.default_rng(3).integers(-3000, 3000, 32_000).astype(np.int16)
    assert activity.segments(noise) == []
    assert activity.segments(np.zeros(0, np.int16)) == []


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_activity, "find_spec", lambda name: None)
    with pytest.raises(MachineError) as caught:
        VoiceActivity()
    assert caught.value.code == "I_HEARING"
    assert "silero-vad" in str(caught.value)


def test_only_the_release_that_the_rules_name_measures() -> None:
    installed = voice_activity.voice_activity_version()  # silero-vad 6.2.1, say
    for wanted in (installed, installed.rpartition(".")[0]):
        VoiceActivity(wanted)
    for wanted in ("silero-vad 6.0", installed[:-1] + "99", "silero-vad 6.2.1.1"):
        with pytest.raises(MachineError) as caught:
            VoiceActivity(wanted)
        assert caught.value.code == "I_HEARING" and wanted in str(caught.value)
