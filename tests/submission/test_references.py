"""The organisers' side: layouts, aliases, labels, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made
import pytest

from harness.submission import References, check, read_references

T2 = "zh/task2.jsonl"


def read(tmp_path: Path, files: made.Files, *, need_labels: bool = True) -> References:
    return read_references(made.write(tmp_path / "in", files), made.CHALLENGE, need_labels=need_labels)


def with_turn(files: made.Files, **fields: object) -> made.Files:
    """The first turn of zh/task2 with other fields; ... removes one."""
    rows: list[Any] = [json.loads(row) for row in files[T2].splitlines()]
    turn = rows[0]["turns"][0]
    turn.update(fields)
    for key in [key for key, value in turn.items() if value is ...]:
        del turn[key]
    files[T2] = made.jsonl(rows)
    return files


@pytest.mark.parametrize("layout", ["seed", "release"])
def test_a_good_folder_is_read_whole(tmp_path: Path, layout: str) -> None:
    found = read(tmp_path, made.inputs(layout, audio=True))
    assert found.findings == ()
    assert (found.layout, found.root) == (layout, tmp_path / "in")
    assert [(d.task, d.language) for d in found.dialogues] == [
        (task, language) for language in made.LANGUAGES for task in made.TASKS for _ in range(2)
    ]
    turn = found.dialogues[0].turns[0]
    assert (turn.turn_id, turn.text, turn.emotion) == (1, made.USERS["zh"][0], "happy")
    assert turn.audio_file is not None
    assert (found.root / "zh" / turn.audio_file).is_file()


def test_one_wrapping_folder_is_taken_off(tmp_path: Path) -> None:
    files = {f"HD-Track1-Test/{path}": data for path, data in made.inputs("release", audio=True).items()}
    found = read(tmp_path, files)
    assert (found.findings, found.layout, len(found.dialogues)) == ((), "release", 12)
    assert found.root == tmp_path / "in/HD-Track1-Test"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"input_text": "别名", "input_emotion": "sad"}, ("别名", "sad")),
        ({"input_text": "", "input_emotion": None}, (made.USERS["zh"][0], "happy")),
        ({"text": ..., "emotion": ..., "input_text": "别名", "input_emotion": "fear"}, ("别名", "fear")),
    ],
)
def test_an_alias_wins_when_it_is_not_empty(tmp_path: Path, fields: dict[str, object], wanted: tuple[str, str]) -> None:
    found = read(tmp_path, with_turn(made.inputs(), **fields))
    assert found.findings == ()
    turn = found.dialogues[0].turns[0]
    assert (turn.text, turn.emotion) == wanted


def test_the_audio_alias_wins_too(tmp_path: Path) -> None:
    files = {**made.inputs(), "zh/other.wav": made.wav()}
    found = read(tmp_path, with_turn(files, split_audio_file="gone.wav", input_audio="other.wav"))
    assert found.findings == ()
    assert found.dialogues[0].turns[0].audio_file == "other.wav"


@pytest.mark.parametrize(
    ("fields", "code", "severity"),
    [
        ({"text": ...}, "E_GOLD_TEXT", "error"),
        ({"text": "  "}, "E_GOLD_TEXT", "error"),
        ({"text": None}, "E_GOLD_TEXT", "error"),
        ({"emotion": ...}, "E_GOLD_EMOTION", "error"),
        ({"emotion": ""}, "E_GOLD_EMOTION", "error"),
        ({"emotion": "bored"}, "W_GOLD_EMOTION", "warning"),
        ({"emotion": "Happy"}, "W_GOLD_EMOTION", "warning"),
        ({"split_audio_file": "gone.wav"}, "E_GOLD_AUDIO", "error"),
        ({"split_audio_file": "../x.wav"}, "E_PATH", "error"),
        ({"turn_id": 7}, "E_TURN_ORDER", "error"),
        ({"turn_id": 1.0}, "E_SCHEMA_TYPE", "error"),
        ({"text": 5}, "E_SCHEMA_TYPE", "error"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, fields: dict[str, object], code: str, severity: str) -> None:
    found = read(tmp_path, with_turn(made.inputs(), **fields))
    assert [(f.code, f.severity, f.file, f.line) for f in found.findings] == [(code, severity, T2, 1)]


def test_labels_are_not_asked_of_inputs(tmp_path: Path) -> None:
    found = read(tmp_path, made.inputs(labels=False), need_labels=False)
    assert found.findings == ()
    assert {(turn.text, turn.emotion) for d in found.dialogues for turn in d.turns} == {(None, None)}


def test_doubles_broken_lines_and_unsafe_ids_are_errors(tmp_path: Path) -> None:
    files = made.inputs()
    files[T2] += files[T2].splitlines(keepends=True)[0] + b"{]\n"
    files[T2] += made.jsonl([made.line("../x", [{"turn_id": 1, "text": "x", "emotion": "sad"}])])
    found = read(tmp_path, files)
    assert [(f.code, f.line) for f in found.findings] == [("E_ID_DUP", 3), ("E_JSON_SYNTAX", 4), ("E_ID_NAME", 5)]
    assert len(found.dialogues) == 12


def test_a_folder_without_dialogues_says_what_it_looked_for(tmp_path: Path) -> None:
    found = read(tmp_path, {"notes.txt": b"x"})
    assert (found.dialogues, [f.code for f in found.findings]) == ((), ["E_LAYOUT_MISSING"])


def test_training_data_split_by_turn_count_is_read(tmp_path: Path) -> None:
    files = made.inputs(audio=True)
    for path in [path for path in files if path.endswith(".jsonl")]:
        files[path.replace(".jsonl", "_3.jsonl")] = files.pop(path)
    found = read(tmp_path, files)
    assert (found.findings, len(found.dialogues)) == ((), 12)


def test_a_data_folder_is_checked_with_its_audio(tmp_path: Path) -> None:
    files = made.inputs(audio=True)
    broken = next(path for path in files if path.endswith(".wav"))
    good = check(made.write(tmp_path / "good", files), made.CHALLENGE, layout="data").report
    assert (good.valid, good.findings, good.checked.dialogues) == (True, (), 12)
    assert good.checked.audio_seconds == pytest.approx(36 * 0.25)
    files[broken] = made.wav()[:-1]
    bad = check(made.write(tmp_path / "bad", files), made.CHALLENGE, layout="data").report
    assert [(f.code, f.file) for f in bad.findings] == [("E_WAV_TRUNC", broken)]
    assert not bad.valid


def told(folder: str, name: str, turn_count: int, *, labels: bool) -> made.Files:
    """One dialogue of the organisers: `folder/en/name.jsonl` with its audio in `name/`."""
    dialogue_id = f"task{turn_count}_en_0001_0001"
    files: made.Files = {}
    turns: list[dict[str, object]] = []
    for number in range(1, turn_count + 1):
        audio = f"{name}/{dialogue_id}_{number}.wav"
        files[f"{folder}/en/{audio}"] = made.wav()
        turn: dict[str, object] = {"turn_id": number, "split_audio_file": audio}
        turns.append({**turn, "text": "I am glad.", "emotion": "neutral", "response_text": "Good."} if labels else turn)
    files[f"{folder}/en/{name}.jsonl"] = made.jsonl([made.line(dialogue_id, turns)])
    return files


def test_train_dev_and_test_folders_of_the_organisers(tmp_path: Path) -> None:
    train = {k: v for t in "23" for n in (3, 4, 5) for k, v in told("train", f"task{t}_{n}", n, labels=True).items()}
    dev = {key: data for t in "234" for key, data in told("dev", f"task{t}", 3, labels=True).items()}
    blind = {key: data for t in "123" for key, data in told("test", f"HD-Track1-T{t}", 3, labels=False).items()}
    for name, files, expected in (("train", train, 6), ("dev", dev, 3), ("test", blind, 3)):
        report = check(made.write(tmp_path, files) / name, made.CHALLENGE, layout="data").report
        assert report.valid, report.findings
        assert report.checked.dialogues == expected
        assert [each.code for each in report.findings] == (["W_GOLD_BLIND"] if name == "test" else [])


def test_some_labels_lost_are_an_error_and_no_test_set(tmp_path: Path) -> None:
    files = told("dev", "task2", 3, labels=True) | told("dev", "task3", 3, labels=False)
    report = check(made.write(tmp_path, files) / "dev", made.CHALLENGE, layout="data").report
    assert not report.valid
    assert {each.code for each in report.findings} == {"E_GOLD_TEXT", "E_GOLD_EMOTION"}
