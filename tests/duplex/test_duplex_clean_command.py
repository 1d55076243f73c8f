"""`humdial duplex clean` on a key and on a dev folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command import here, humdial

RATE = 24_000
SENTENCE = {
    "final_duration": 3.0,
    "speech_segments": [{"xmin": 0.5, "xmax": 1.0, "text": "a"}, {"xmin": 2.0, "xmax": 2.5, "text": "b"}],
}


def clean(inputs: Path, out: Path, *more: str | Path) -> tuple[int, str]:
    return here("duplex", "clean", inputs, "--out", out, *more)


def noise(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(5).integers(1, 20_000, (3 * RATE, channels)).astype(np.int16)


def key_folder(root: Path, channels: int = 1) -> Path:
    (root / "test").mkdir(parents=True)
    (root / "clean").mkdir()
    names = {"test-000001": "follow_up", "test-000002": "directed_at_others", "test-000003": "pause"}
    lines = []
    for number, (name, scenario) in enumerate(names.items(), 1):
        soundfile.write(root / f"test/{name}.wav", noise(channels), RATE, subtype="PCM_16")
        other = None if scenario == "pause" else f"clean-{number:06d}"
        lines.append({"file": name, "language": "en", "scenario": scenario, "clean": other, **SENTENCE})
    (root / "key.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def test_a_key(tmp_path: Path) -> None:
    done = humdial("duplex", "clean", key_folder(tmp_path / "in"), "--out", tmp_path / "out")
    assert done.stdout.split() == ["clean/clean-000001.wav", "clean/clean-000002.wav"]
    source = noise()[:, 0]
    first, rate = soundfile.read(tmp_path / "out/clean/clean-000001.wav", dtype="int16")
    assert rate == RATE and len(first) == 3 * RATE
    query = slice(RATE // 2, RATE)
    assert (first[query] == source[query]).all() and np.count_nonzero(first) == RATE // 2
    second, _ = soundfile.read(tmp_path / "out/clean/clean-000002.wav", dtype="int16")
    assert (second == np.concatenate([source[: RATE // 2], source[2 * RATE :]])).all()


def test_the_second_half_of_speech_directed_at_others(tmp_path: Path) -> None:
    key_folder(tmp_path / "in")
    (tmp_path / "team/test").mkdir(parents=True)
    spoken = noise()[::-1, 0]
    soundfile.write(tmp_path / "team/test/test-000002_output.wav", spoken, RATE, subtype="PCM_16")
    code, said = clean(tmp_path / "in", tmp_path / "out", "--outputs", tmp_path / "team")
    assert code == 0 and said.split() == ["test/test-000002.wav", "test/test-000002_output.wav"]
    user, rate = soundfile.read(tmp_path / "out/test/test-000002.wav", dtype="int16")
    assert rate == RATE and (user == noise()[2 * RATE :, 0]).all()
    output, _ = soundfile.read(tmp_path / "out/test/test-000002_output.wav", dtype="int16")
    assert not output[: RATE // 2].any()  # while the follow-up query is asked
    assert (output[RATE // 2 :] == spoken[2 * RATE + RATE // 2 :]).all()
    soundfile.write(tmp_path / "team/test/test-000002_output.wav", spoken[::2], RATE // 2, subtype="PCM_16")
    code, said = clean(tmp_path / "in", tmp_path / "out", "--outputs", tmp_path / "team")
    assert code == 1 and "[E_PAIR_RATE]" in said


def test_a_dev_folder(tmp_path: Path) -> None:
    folder = tmp_path / "dev/en/ask"
    folder.mkdir(parents=True)
    soundfile.write(folder / "0001_0001.wav", noise(), RATE, subtype="PCM_16")
    (folder / "0001_0001_sentence.json").write_text(json.dumps(SENTENCE))
    assert clean(tmp_path / "dev", tmp_path / "out") == (0, "en/ask/clean_0001_0001.wav\n")


@pytest.mark.parametrize("bad", ["stereo", "one segment", "no key"])
def test_bad_inputs_are_named(tmp_path: Path, bad: str) -> None:
    root = key_folder(tmp_path / "in", channels=2 if bad == "stereo" else 1)
    if bad == "one segment":
        line = {"file": "test-000002", "language": "en", "scenario": "directed_at_others", "clean": "clean-000002"}
        line |= {"final_duration": 3.0, "speech_segments": SENTENCE["speech_segments"][:1]}  # type: ignore[index]
        (root / "key.jsonl").write_text(json.dumps(line) + "\n")
    elif bad == "no key":
        (root / "key.jsonl").unlink()
    code, said = clean(root, tmp_path / "out")
    assert code == 2 and "[E_GOLD]" in said
    assert not (tmp_path / "out").exists()
