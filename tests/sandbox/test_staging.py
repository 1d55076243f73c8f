"""The /input tree: opaque, shuffled, free of labels and of metadata; and the check that would stop a leak."""

from __future__ import annotations

import json
import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sandbox_inputs import Inputs, wav_with_metadata

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.errors import MachineError, UsageError
from harness.sandbox.leaks import require_no_leak
from harness.sandbox.staging import Staged, layout_words, stage_inputs

INVENTED = Path(__file__).parents[1] / "data" / "invented.toml"


@pytest.fixture
def staged(inputs: Inputs, challenge: Challenge, tmp_path: Path) -> Staged:
    return stage_inputs(inputs.dialogues, inputs.root, tmp_path / "input", challenge, "seed")


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_lines_hold_opaque_ids_turns_and_audio_and_nothing_else(staged: Staged) -> None:
    assert staged.tasks == ("task2", "task4") and staged.languages == ("zh", "en")
    for (language, task), dialogues in staged.dialogues.items():
        rows = [json.loads(line) for line in (staged.root / language / f"{task}.jsonl").read_text().splitlines()]
        assert [row["dialogue_id"] for row in rows] == [each.opaque_id for each in dialogues]
        for row in rows:
            assert set(row) == {"dialogue_id", "turns"}
            for turn in row["turns"]:
                assert set(turn) == {"turn_id", "split_audio_file"}
                assert (staged.root / language / turn["split_audio_file"]).is_file()


def test_audio_keeps_its_samples_and_loses_its_metadata(staged: Staged, inputs: Inputs) -> None:
    for (language, task), dialogues in staged.dialogues.items():
        for each in dialogues:
            for turn in each.turn_ids:
                path = staged.root / language / task / f"{each.opaque_id}_{turn}.wav"
                source = inputs.root / language / task / f"{each.dialogue_id}_{turn}.wav"
                with wave.open(str(path)) as ours, wave.open(str(source)) as theirs:
                    assert ours.getparams()[:4] == theirs.getparams()[:4]
                    assert ours.readframes(1 << 20) == theirs.readframes(1 << 20)
                assert path.stat().st_size == 44 + 2 * (1600 * turn + 10 * int(each.dialogue_id.split("_")[3]))


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_U8", "PCM_24", "PCM_32"])
def test_audio_of_another_sample_format_is_as_loud_as_before(
    challenge: Challenge, tmp_path: Path, subtype: str
) -> None:
    tone = np.sin(np.arange(1600) / 7) * 0.5
    tone[:2] = (1.5, -1.5) if subtype in ("FLOAT", "DOUBLE") else (1.0, -1.0)  # beyond full scale: clipped, not wrapped
    (tmp_path / "zh").mkdir()
    soundfile.write(tmp_path / "zh" / "a.wav", tone, 16000, subtype=subtype)
    dialogue = ReferenceDialogue("task2", "zh", "task2_2_zh_0001_0001", (ReferenceTurn(1, "", "", "a.wav"),))
    staged = stage_inputs([dialogue], tmp_path, tmp_path / "input", challenge, "seed")
    (path,) = staged.root.rglob("*.wav")
    found, _ = soundfile.read(path)
    assert np.abs(found - np.clip(tone, -1, 1)).max() < 0.01


@pytest.mark.parametrize("samples", [[], [0.1, float("nan")]])
def test_audio_without_sound_samples_is_refused(challenge: Challenge, tmp_path: Path, samples: list[float]) -> None:
    (tmp_path / "zh").mkdir()
    soundfile.write(tmp_path / "zh" / "a.wav", np.array(samples), 16000, subtype="FLOAT")
    dialogue = ReferenceDialogue("task2", "zh", "task2_2_zh_0001_0001", (ReferenceTurn(1, "", "", "a.wav"),))
    with pytest.raises(UsageError) as caught:
        stage_inputs([dialogue], tmp_path, tmp_path / "input", challenge, "seed")
    assert caught.value.code == "E_STAGE_AUDIO"


def test_every_run_has_a_copy_of_its_own(staged: Staged, inputs: Inputs) -> None:
    """A shared file would be a channel between containers by its locks."""
    sources = {path.stat().st_ino for path in inputs.root.rglob("*")}
    for path in staged.root.rglob("*.wav"):
        assert path.stat().st_nlink == 1 and path.stat().st_ino not in sources and not path.is_symlink()


def test_dates_and_modes_say_nothing(staged: Staged) -> None:
    files = [path for path in staged.root.rglob("*") if path.is_file()]
    assert len({(path.stat().st_mtime_ns, path.stat().st_mode) for path in files}) == 1


def test_the_seed_decides_names_and_order(inputs: Inputs, challenge: Challenge, tmp_path: Path) -> None:
    first = stage_inputs(inputs.dialogues, inputs.root, tmp_path / "a", challenge, "one")
    again = stage_inputs(tuple(reversed(inputs.dialogues)), inputs.root, tmp_path / "b", challenge, "one")
    other = stage_inputs(inputs.dialogues, inputs.root, tmp_path / "c", challenge, "two")
    assert tree(first.root) == tree(again.root)
    names = {path.name for path in first.root.rglob("*.wav")}
    assert names.isdisjoint(path.name for path in other.root.rglob("*.wav"))


def test_the_order_has_nothing_to_do_with_the_organisers(challenge: Challenge, tmp_path: Path) -> None:
    source = tmp_path / "inputs"
    (source / "en" / "task2").mkdir(parents=True)
    (source / "en" / "task2" / "a.wav").write_bytes(wav_with_metadata(160, b""))
    turn = (ReferenceTurn(1, "t" * 9, "sad", "task2/a.wav"),)
    dialogues = [ReferenceDialogue("task2", "en", f"task2_1_en_{n:04d}_0001", turn) for n in range(200)]
    staged = stage_inputs(dialogues, source, tmp_path / "input", challenge, "s")
    order = [int(each.dialogue_id.split("_")[3]) for each in staged.dialogues["en", "task2"]]
    mean = sum(range(200)) / 200
    covariance = sum((n - mean) * (value - mean) for n, value in enumerate(order))
    spread = sum((n - mean) ** 2 for n in range(200))
    assert abs(covariance / spread) < 0.2  # Spearman's rank correlation, 2.8 standard errors of chance


def test_another_challenge_is_staged_under_its_own_names(tmp_path: Path) -> None:
    challenge = load_challenge(str(INVENTED))
    layout = challenge.layouts.get("seed") or next(iter(challenge.layouts.values()))
    task = next(iter(layout.names))
    language = challenge.languages[0]
    folder = (tmp_path / "inputs" / layout.jsonl_path(language, task)).parent
    folder.mkdir(parents=True)
    (folder / "one.wav").write_bytes(wav_with_metadata(160, b"x"))
    dialogue = ReferenceDialogue(task, language, "first-of-all", (ReferenceTurn(1, "words", "calm", "one.wav"),))
    staged = stage_inputs([dialogue], tmp_path / "inputs", tmp_path / "input", challenge, "s")
    assert (staged.root / layout.jsonl_path(language, task)).is_file()
    assert staged.tasks == (layout.names[task],)


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "link.wav", "none.wav", "not-audio.wav", None])
def test_audio_outside_missing_or_broken_is_refused(challenge: Challenge, tmp_path: Path, name: str | None) -> None:
    folder = tmp_path / "inputs" / "en"
    folder.mkdir(parents=True)
    (tmp_path / "inputs" / "secret.wav").write_bytes(wav_with_metadata(160, b""))
    (folder / "link.wav").symlink_to("../secret.wav")
    (folder / "not-audio.wav").write_bytes(b"RIFF")
    dialogue = ReferenceDialogue("task2", "en", "dialogue-1", (ReferenceTurn(1, None, None, name),))
    if name == "../secret.wav":  # beneath the inputs, but above the JSONL's folder: the data layout allows no such path
        (tmp_path / "inputs" / "secret.wav").unlink()
    with pytest.raises(UsageError) as caught:
        stage_inputs([dialogue], tmp_path / "inputs", tmp_path / "input", challenge, "s")
    assert caught.value.code == "E_STAGE_AUDIO"


def test_an_input_folder_that_is_not_there_is_the_callers_fault(
    inputs: Inputs, challenge: Challenge, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        stage_inputs(inputs.dialogues, tmp_path / "none", tmp_path / "input", challenge, "s")
    assert caught.value.code == "E_STAGE_AUDIO"


def _label(root: Path) -> None:
    path = next(root.rglob("task2.jsonl"))
    row = json.loads(path.read_text().splitlines()[0])
    row["turns"][0]["emotion"] = "sad"
    _write(path, json.dumps(row).encode())


def _real_id(root: Path) -> None:
    path = next(root.rglob("task2.jsonl"))
    row = json.loads(path.read_text().splitlines()[0])
    row["dialogue_id"] = "task2_2_zh_0001_0001"
    _write(path, json.dumps(row).encode())


def _file_name(root: Path) -> None:
    path = next(root.rglob("*.wav"))
    path.rename(path.with_name("task2_2_zh_0001_0001_1.wav"))


def _metadata(root: Path) -> None:
    path = next(root.rglob("*.wav"))
    _write(path, path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")


def _date(root: Path) -> None:
    os.utime(next(root.rglob("*.wav")), (1, 1))


def _extra(root: Path) -> None:
    _write(root / "notes.txt", b"gold")


def _folder(root: Path) -> None:
    path = next(root.rglob("*.wav"))
    sad = path.parent / "happy-sad"
    sad.mkdir()
    path.rename(sad / path.name)


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(0o444)
    os.utime(path, (1_764_000_000, 1_764_000_000))


@pytest.mark.parametrize("leak", [_label, _real_id, _file_name, _metadata, _date, _extra, _folder])
def test_each_leak_stops_the_run(staged: Staged, inputs: Inputs, leak: object) -> None:
    dialogues = [replace(each, turns=(replace(each.turns[0], emotion="happy-sad"),)) for each in inputs.dialogues]
    words = layout_words(staged.layout, staged.dialogues)
    require_no_leak(staged.root, dialogues, words)
    leak(staged.root)  # type: ignore[operator]
    with pytest.raises(MachineError) as caught:
        require_no_leak(staged.root, dialogues, words)
    assert caught.value.code == "E_LEAK_INPUT"
