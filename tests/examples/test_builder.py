"""The builder: seeded and deterministic, shaped like the challenge, no label where none may be."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pypdf
import pytest
import soundfile
from generator.dialogues import LANGUAGES, TASKS, compose
from generator.pdf import text_pdf
from generator.situations import ASKING_TASKS, NEUTRAL, questions, situations
from generator.speech import VOICES, Synthesiser, prosody

from harness.challenge.load import load_challenge

Build = Callable[..., subprocess.CompletedProcess[str]]


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with its digest."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path, build: Build) -> None:
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        build("data", "--out", tmp_path / name, "--seed", str(seed), "--dialogues-per-task", "1")
    one, again, other = (tree(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    for name in ("zh/task2.jsonl", "zh/task4.jsonl", "en/task3.jsonl"):
        assert one[name] != other[name]


def test_a_kept_cache_changes_no_byte(tmp_path: Path, build: Build) -> None:
    speech_cache = tmp_path / "cache"
    arguments = ("--seed", "5", "--dialogues-per-task", "1", "--languages", "zh")
    build("data", "--out", tmp_path / "fresh", *arguments)
    build("data", "--out", tmp_path / "cached", *arguments, "--cache", speech_cache)
    build("data", "--out", tmp_path / "warm", *arguments, "--cache", speech_cache)
    assert tree(tmp_path / "fresh") == tree(tmp_path / "cached") == tree(tmp_path / "warm")


def test_data_has_the_dev_layout(tmp_path: Path, speech_cache: Path, build: Build) -> None:
    build("data", "--out", tmp_path / "dev", "--dialogues-per-task", "3", "--cache", speech_cache)
    found = sorted(path.relative_to(tmp_path / "dev").as_posix() for path in (tmp_path / "dev").glob("*/*.jsonl"))
    assert found == [f"{language}/{task}.jsonl" for language in ("en", "zh") for task in TASKS]
    for path in (tmp_path / "dev").glob("*/*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert sorted(len(row["turns"]) for row in rows) == [3, 4, 5]
        for row in rows:
            language, turns = path.parent.name, len(row["turns"])
            assert re.fullmatch(rf"{path.stem}_{turns}_{language}_\d{{4}}_\d{{4}}", row["dialogue_id"])
            assert [turn["turn_id"] for turn in row["turns"]] == list(range(1, turns + 1))
            for turn in row["turns"]:
                check_speech(path.parent / turn["split_audio_file"])


def check_speech(path: Path) -> None:
    """16 kHz mono PCM16 with something to hear that is not clipped."""
    header = soundfile.info(path)
    assert (header.samplerate, header.channels, header.subtype, header.format) == (16000, 1, "PCM_16", "WAV")
    samples, _ = soundfile.read(path)
    assert 0.1 < abs(samples).max() < 0.999
    assert 0.5 < len(samples) / 16000 < 20


def test_the_release_layout_has_the_final_numbering(tmp_path: Path, build: Build) -> None:
    arguments = ("--layout", "release", "--no-audio", "--languages", "en", "--dialogues-per-task", "2")
    build("data", "--out", tmp_path / "release", *arguments)
    rows = {
        path.name: json.loads(path.read_text("utf-8").splitlines()[0])
        for path in (tmp_path / "release" / "en").iterdir()
    }
    assert sorted(rows) == ["HD-Track1-T1.jsonl", "HD-Track1-T2.jsonl", "HD-Track1-T3.jsonl"]
    assert rows["HD-Track1-T1.jsonl"]["dialogue_id"].startswith("task1_")
    assert rows["HD-Track1-T3.jsonl"]["turns"][0]["split_audio_file"].startswith("HD-Track1-T3/task3_")


def test_official_size_has_no_dialogue_twice() -> None:
    dialogues = compose(7, 150, LANGUAGES, "seed")
    assert len(dialogues) == len({dialogue.dialogue_id for dialogue in dialogues}) == 900
    tellings = Counter((each.language, each.task, tuple(turn.text for turn in each.turns)) for each in dialogues)
    assert max(tellings.values()) == 1


def test_labels_are_the_challenge_s_and_all_of_them_occur() -> None:
    for language in LANGUAGES:
        labels = {turn.emotion for story in situations(language) for turn in story.turns}
        assert labels == set(load_challenge().emotions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_at_least_twelve_situations_of_five_different_moments(language: str) -> None:
    assert len(situations(language)) >= 12
    said = [text for story in situations(language) for turn in story.turns for text in turn.say]
    assert len(said) == len(set(said)) == 10 * len(situations(language))
    for story in situations(language):
        assert len({turn.emotion for turn in story.turns}) >= 4


def test_every_everyday_dialogue_has_two_feelings_and_some_have_more() -> None:
    feelings = Counter(
        sum(turn.emotion != NEUTRAL for turn in dialogue.turns)
        for dialogue in compose(3, 60, LANGUAGES, "seed")
        if dialogue.task == "task4"
    )
    assert min(feelings) == 2
    assert {2, 3} <= set(feelings)


def test_the_last_turn_asks_for_the_changes_or_the_reasons() -> None:
    for dialogue in compose(3, 20, LANGUAGES, "seed"):
        asked = questions(dialogue.language, dialogue.task)
        assert (dialogue.turns[-1].text in asked) == (dialogue.task in ASKING_TASKS)
        assert all(turn.text not in asked for turn in dialogue.turns[:-1])


def test_feelings_are_heard_in_the_speed_of_speech(speech_cache: Path) -> None:
    synthesiser = Synthesiser(speech_cache)
    text = "I moved out of my flat on Saturday and gave the keys back to Mr Doyle."
    length = {
        emotion: soundfile.info(synthesiser.speak(prosody(Random(1), text, VOICES["en"][0], emotion))).duration
        for emotion in ("sad", "neutral", "anger")
    }
    assert length["sad"] > length["neutral"] > length["anger"]


def test_the_sample_s_inputs_hold_no_label_and_the_references_hold_them_all(sample: Path) -> None:
    inputs, references = sample / "inputs", sample / "references"
    turns_seen = 0
    for path in sorted(references.glob("*/*.jsonl")):
        given = (inputs / path.relative_to(references)).read_text("utf-8").splitlines()
        for bare, full in itertools.zip_longest(map(json.loads, given), map(json.loads, path.open(encoding="utf-8"))):
            assert bare["dialogue_id"] == full["dialogue_id"]
            for turn, gold in zip(bare["turns"], full["turns"], strict=True):
                assert set(turn) == {"turn_id", "split_audio_file"}
                assert gold["text"] and gold["emotion"] in load_challenge().emotions
                turns_seen += 1
    assert turns_seen == 96
    audio = {name: digest for name, digest in tree(inputs).items() if name.endswith(".wav")}
    assert len(audio) == 96
    assert audio == {name: digest for name, digest in tree(references).items() if name.endswith(".wav")}


def test_a_team_s_context_holds_none_of_the_sample_s_recordings(sample: Path) -> None:
    recordings = set(tree(sample / "inputs").values())
    assert recordings.isdisjoint(tree(sample / "teams").values())


def test_context_files_can_be_read_by_an_unknown_user(sample: Path) -> None:
    for path in (sample / "teams").glob("*/*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == (0o755 if path.suffix == ".sh" else 0o644)


def test_the_pdf_is_read_by_a_pdf_reader() -> None:
    reader = pypdf.PdfReader(io.BytesIO(text_pdf([["first (page) \\ here"], ["second"]])), strict=True)
    assert [page.extract_text().strip() for page in reader.pages] == ["first (page) \\ here", "second"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, build: Build) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "not empty" in build("data", "--out", tmp_path, expect=1).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_language_is_a_usage_error(tmp_path: Path, build: Build) -> None:
    assert "fr" in build("data", "--out", tmp_path / "x", "--languages", "fr", expect=2).stderr
