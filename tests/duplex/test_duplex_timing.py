"""`humdial duplex timing` on real WAVs with known answers, and on bad ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from command import here, humdial

from harness.challenge.load import load_challenge
from harness.duplex import TimingRules, pair_timing
from harness.errors import Refused
from harness.evaluation.duplex_timing import time_pair
from harness.hearing.voice_activity import VoiceActivity
from harness.resources import data_dir
from harness.submission import Recording, Recordings

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
PAIRS = json.loads((VECTORS / "duplex_wav_timing.json").read_text("utf-8"))["pairs"]
FRAME_S = 0.04  # one frame of the model and a little: another resampler moves an edge by that


def wav(path: Path, seconds: float, rate: int = 16_000, channels: int = 1) -> Path:
    drawn = np.random.default_rng(1).integers(-9000, 9000, (int(seconds * rate), channels))
    soundfile.write(path, drawn.astype(np.int16), rate, subtype="PCM_16")
    return path


def assert_near(found: list[list[float]], wanted: list[list[float]]) -> None:
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours == pytest.approx(theirs, abs=FRAME_S)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["name"])
def test_real_pairs(pair: dict[str, Any]) -> None:
    user, model = (VECTORS / "wavs" / f"{pair['name']}_{side}.wav" for side in ("user", "model"))
    code, said = here("duplex", "timing", "--user", user, "--model", model)
    assert code == 0, said
    found = json.loads(said)
    assert list(found) == ["user", "model", "stop", "response"]
    assert_near(found["user"], pair["seg_user"])
    assert_near(found["model"], pair["seg_model"])
    assert_near(found["stop"], pair["latency_stop_list"])
    assert_near(found["response"], pair["latency_resp_list"])
    assert found["stop"] or found["response"] or not found["model"], "a silent model has no latency, least of all 0"


def test_speech_is_where_the_published_model_hears_it() -> None:
    """To the sample at 16 kHz; from another rate, through another resampler, within a frame of 32 ms."""
    activity = VoiceActivity()
    with Recordings(load_challenge(), accepted=frozenset({"E_WAV_SILENT"})) as recordings:
        for pair in PAIRS:
            for side in ("user", "model"):
                samples = recordings.samples(Recording(VECTORS / "wavs" / f"{pair['name']}_{side}.wav"))
                assert side == "model" or len(samples) == pair["user_samples_16k"]
                found = [list(each) for each in activity.segments(samples)]
                slack = 0 if pair["truth"]["sr"] == 16_000 else 512
                assert len(found) == len(pair[f"vad_{side}"])
                for ours, theirs in zip(found, pair[f"vad_{side}"], strict=True):
                    assert ours == pytest.approx(theirs, abs=slack)
                for ours, placed in zip(pair[f"seg_{side}"], pair["truth"][f"{side}_placed"], strict=True):
                    assert ours == pytest.approx(placed, abs=0.12)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["name"])
def test_from_the_segments_on_everything_is_exact(pair: dict[str, Any]) -> None:
    seconds = {
        side: [(start / 16_000, end / 16_000) for start, end in pair[f"vad_{side}"]] for side in ("user", "model")
    }
    found = pair_timing(seconds["user"], seconds["model"], TimingRules())
    for ours, theirs in (
        (found.user, "seg_user"),
        (found.model, "seg_model"),
        (found.stop, "latency_stop_list"),
        (found.response, "latency_resp_list"),
    ):
        assert [list(each) for each in ours] == pair[theirs]


@pytest.mark.parametrize(("rate", "subtype"), [(44_100, "PCM_24"), (48_000, "PCM_16")])
def test_other_rates_give_the_same_timing(tmp_path: Path, rate: int, subtype: str) -> None:
    import soxr

    pair = PAIRS[1]
    for side in ("user", "model"):
        samples, known = soundfile.read(VECTORS / "wavs" / f"{pair['name']}_{side}.wav")
        again = np.clip(soxr.resample(samples, known, rate), -1, 1)
        soundfile.write(tmp_path / f"{side}.wav", again, rate, subtype=subtype)
    code, said = here("duplex", "timing", "--user", tmp_path / "user.wav", "--model", tmp_path / "model.wav")
    assert code == 0, said
    assert_near(json.loads(said)["response"], pair["latency_resp_list"])


def test_text_of_a_process_of_its_own() -> None:
    pair = PAIRS[2]
    user, model = (VECTORS / "wavs" / f"{pair['name']}_{side}.wav" for side in ("user", "model"))
    done = humdial("duplex", "timing", "--user", user, "--model", model, "-f", "text")
    assert done.stdout.splitlines()[1:] == ["model    none", "stop     none", "response none"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: wav(path, 2.0, channels=2), "E_WAV_CHANNELS"),
        (lambda path: wav(path, 2.0, rate=96_000), "E_WAV_RATE"),
        (lambda path: wav(path, 0.0), "E_WAV_DUR"),
        (lambda path: wav(path, 90.0), "E_PAIR_LENGTH"),
        (lambda path: wav(path, 300.0), "E_WAV_DUR"),
        (lambda path: path.write_bytes(b"no audio") and path, "E_WAV_FORMAT"),
    ],
    ids=["stereo", "96 kHz", "empty", "minutes longer", "five minutes", "no WAV"],
)
def test_bad_outputs_are_named(tmp_path: Path, make: Any, code: str) -> None:
    user, model = wav(tmp_path / "user.wav", 3.0), make(tmp_path / "model.wav")
    exit_code, said = here("duplex", "timing", "--user", user, "--model", model)
    assert exit_code == 1 and f"[{code}]" in said and "response" not in said


@pytest.mark.parametrize(("seconds", "told"), [(2.0, True), (20.0, True), (3.4, False)])
def test_another_length_is_told_beside_the_timing(tmp_path: Path, seconds: float, told: bool) -> None:
    user, model = wav(tmp_path / "user.wav", 3.0), wav(tmp_path / "model.wav", seconds)
    code, said = here("duplex", "timing", "--user", user, "--model", model, "-f", "text")
    line = f"warning W_PAIR_LENGTH: the output lasts {seconds:.3f} s, its input 3.000 s"
    assert code == 0 and (line in said) == told and "response none" in said


def test_another_release_of_voice_activity_measures_nothing(tmp_path: Path) -> None:
    spec = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
    (tmp_path / "old.toml").write_text(spec.replace('"silero-vad 6.2"', '"silero-vad 5.1"'), "utf-8")
    user = wav(tmp_path / "user.wav", 3.0)
    code, said = here("duplex", "timing", "--user", user, "--model", user, "--challenge", tmp_path / "old.toml")
    assert code == 3 and "[I_HEARING]" in said


def test_stereo_is_mixed_only_where_the_spec_says_so(tmp_path: Path) -> None:
    """Both channels alike: mixed down it is the mono file again."""
    user, mono = (VECTORS / "wavs" / f"{PAIRS[0]['name']}_{side}.wav" for side in ("user", "model"))
    samples, rate = soundfile.read(mono, dtype="int16")
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([samples, samples], axis=1), rate, subtype="PCM_16")
    challenge = load_challenge()
    with pytest.raises(Refused):
        time_pair(user, stereo, challenge)
    mixing = replace(challenge, audio=replace(challenge.audio, downmix_stereo=True))
    assert time_pair(user, stereo, mixing) == time_pair(user, mono, challenge)
