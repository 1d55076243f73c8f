"""Training dialogues to the baselines' rows, and back again: nothing lost, nothing twice, the reply in its place."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Turn = tuple[str, str, list[int] | None]  # the user's audio, the reply, its tokens


def humdial(*arguments: object, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", "convert", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def dialogue(turns: int, *, spoken: bool) -> dict[str, Any]:
    rows = [
        {
            "turn_id": n,
            "text": f"用户第 {n} 句",
            "emotion": "sad",
            "split_audio_file": f"task2_{turns}/d_{n}.wav",
            "response_text": f"reply {n} 回复",
            **({"response_audio": f"out/d_{n}.wav"} if spoken else {}),
        }
        for n in range(1, turns + 1)
    ]
    return {"dialogue_id": f"task2_{turns}_zh_0001_0001", "turns": rows}


def put(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return path


def from_opens2s(row: dict[str, Any]) -> list[Turn]:
    assert row.keys() == {"messages"}
    found: list[Turn] = []
    for user, assistant in zip(row["messages"][::2], row["messages"][1::2], strict=True):
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        (asked,), (said,) = user["content"], assistant["content"]
        assert asked.keys() == said.keys() == {"text", "audio", "speech_units", "spk_emb"}
        assert (asked["text"], asked["speech_units"], said["audio"]) == ("", "", "")
        units = [int(unit) for unit in re.findall(r"<\|audio_(\d+)\|>", said["speech_units"])]
        assert said["speech_units"] == "".join(f"<|audio_{unit}|>" for unit in units)
        found.append((asked["audio"], said["text"], units or None))
    return found


def from_osum(row: dict[str, Any]) -> list[Turn]:
    earlier = sorted(int(key[4:]) for key in row if key.startswith("wav_"))
    assert earlier == list(range(1, len(earlier) + 1))
    names = [*(f"_{number}" for number in earlier), ""]
    assert row.keys() == {"key", "extra", "task", *(f"{what}{name}" for name in names for what in ("wav", "txt"))}
    assert row["task"] == "<S2TCHAT> <TEXT2TOKEN> <HISTORY>"
    return [(row[f"wav{name}"], row[f"txt{name}"], row["extra"].get(f"speech_token{name}")) for name in names]


BACK = {"opens2s": from_opens2s, "osum": from_osum}


@pytest.mark.parametrize("format_", BACK)
@pytest.mark.parametrize("plug", ["", "function", "file"])
def test_dialogues_of_three_four_and_five_turns_come_back_whole(tmp_path: Path, format_: str, plug: str) -> None:
    file = put(tmp_path / "train.jsonl", *(dialogue(turns, spoken=bool(plug)) for turns in (3, 4, 5)))
    (tmp_path / "mine.py").write_text("def units(path):\n    return (7, int(path[-5]))\n", "utf-8")
    put(tmp_path / "units.jsonl", *({"audio": f"out/d_{n}.wav", "units": [7, n]} for n in range(1, 6)))
    more = {"": (), "function": ("--tokenizer", "mine:units"), "file": ("--units", "units.jsonl")}[plug]
    humdial(format_, file, "--out", "rows.jsonl", "--audio-root", "/data", *more, folder=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()]
    for turns, row in zip((3, 4, 5), rows, strict=True):
        assert BACK[format_](row) == [
            (f"/data/task2_{turns}/d_{n}.wav", f"reply {n} 回复", [7, n] if plug else None) for n in range(1, turns + 1)
        ]
    if format_ == "osum":
        assert [row["key"] for row in rows] == [f"task2_{turns}_zh_0001_0001" for turns in (3, 4, 5)]


def test_a_baseline_that_reads_three_earlier_turns_gets_the_latest(tmp_path: Path) -> None:
    file = put(tmp_path / "train.jsonl", dialogue(5, spoken=False))
    humdial("osum", file, "--out", "rows.jsonl", "--history", "3", "--audio-root", "/d", folder=tmp_path)
    turns = from_osum(json.loads((tmp_path / "rows.jsonl").read_text("utf-8")))
    assert [reply for _, reply, _ in turns] == [f"reply {n} 回复" for n in (2, 3, 4, 5)]


def test_other_names_of_the_keys_are_read(tmp_path: Path) -> None:
    plain = json.loads(
        json.dumps(dialogue(3, spoken=False))
        .replace("split_audio_file", "input_audio")
        .replace("response_text", "response_txt")
    )
    humdial("osum", put(tmp_path / "t.jsonl", plain), "--out", "rows.jsonl", "--audio-root", "/d", folder=tmp_path)
    assert from_osum(json.loads((tmp_path / "rows.jsonl").read_text("utf-8")))[2][:2] == (
        "/d/task2_3/d_3.wav",
        "reply 3 回复",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"response_text": ""}, "turn 2 has no response_text"),
        ({"split_audio_file": None}, "turn 2 has no split_audio_file"),
        ({"turn_id": 3}, "turn 2 is not in its place"),
    ],
)
def test_what_lacks_something_is_named_and_nothing_is_written(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    bad = dialogue(3, spoken=False)
    bad["turns"][1] |= change
    file = put(tmp_path / "t.jsonl", dialogue(3, spoken=False), bad)
    done = humdial("opens2s", file, "--out", "rows.jsonl", folder=tmp_path, code=2)
    assert f"t.jsonl line 2: {said}" in done.stderr and "E_DOCUMENT" in done.stderr
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_tokenizer_that_fails_or_is_not_there_is_named(tmp_path: Path) -> None:
    file = put(tmp_path / "t.jsonl", dialogue(3, spoken=True))
    (tmp_path / "mine.py").write_text("def units(path):\n    raise OSError('no weights')\n", "utf-8")
    put(tmp_path / "units.jsonl", {"audio": "out/other.wav", "units": [1]})
    for more, said in (
        (("--tokenizer", "mine:units"), "no weights"),
        (("--tokenizer", "nowhere:units"), "cannot be imported"),
        (("--units", "units.jsonl"), "has no tokens of"),
        (("--units", "t.jsonl"), "holds a line that is not"),
    ):
        assert said in humdial("osum", file, "--out", "rows.jsonl", *more, folder=tmp_path, code=2).stderr
