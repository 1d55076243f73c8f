"""The three sample teams do what their README says, outside a container, on the staged sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from generator.dialogues import LANGUAGES, TASKS, compose
from generator.situations import ASKING_TASKS, NEUTRAL
from generator.speech import Synthesiser
from generator.team_code import FOLDER, team_module
from generator.teams import LAZY_CLIPS
from twin import strip_injections

from harness.challenge.load import load_challenge
from harness.challenge.text_rules import text_fault

RunTeam = Callable[[str], tuple[Path, str]]
RULES = load_challenge().text


def rows_of(folder: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Language, task and rows of every result file."""
    for path in sorted(folder.glob("*/*.jsonl")):
        yield path.parent.name, path.stem, [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def replies_of(folder: Path) -> list[tuple[str, str, str]]:
    """(language, task, reply) of every turn."""
    return [
        (language, task, turn["response_text"])
        for language, task, rows in rows_of(folder)
        for row in rows
        for turn in row["turns"]
    ]


@pytest.mark.parametrize("team", ["careful", "lazy", "hostile"])
def test_every_team_answers_every_turn_of_every_dialogue(team: str, run_team: RunTeam, staged: Path) -> None:
    out, _ = run_team(team)
    asked = {
        (language, task): [(row["dialogue_id"], [turn["turn_id"] for turn in row["turns"]]) for row in rows]
        for language, task, rows in rows_of(staged)
    }
    answered = {
        (language, task): [(row["dialogue_id"], [turn["turn_id"] for turn in row["turns"]]) for row in rows]
        for language, task, rows in rows_of(out)
    }
    assert answered == asked
    assert set(asked) == {(language, task) for language in LANGUAGES for task in TASKS}


def expected_wavs(staged: Path) -> list[Path]:
    return [
        Path(language, task, f"{row['dialogue_id']}_{turn['turn_id']}_response.wav")
        for language, task, rows in rows_of(staged)
        if task == "task4"
        for row in rows
        for turn in row["turns"]
    ]


# ------------------------------------------------------------------------------------------------ careful


def test_careful_speaks_every_everyday_reply(run_team: RunTeam, staged: Path) -> None:
    out, _ = run_team("careful")
    wavs = expected_wavs(staged)
    assert sorted(path.relative_to(out) for path in out.rglob("*.wav")) == sorted(wavs)
    for wav in wavs:
        samples, rate = soundfile.read(out / wav)
        assert rate == 16000 and samples.ndim == 1
        assert abs(samples).max() > 0.1
        assert 1 < len(samples) / rate < 60


def test_careful_replies_meet_no_floor(run_team: RunTeam) -> None:
    out, _ = run_team("careful")
    faults = [(reply, text_fault(reply, None, language, RULES)) for language, _, reply in replies_of(out)]
    assert [each for each in faults if each[1] is not None] == []
    assert max(len(reply) for reply, _ in faults) < RULES.max_chars


def test_careful_names_the_emotional_path_of_the_references(run_team: RunTeam, sample: Path) -> None:
    out, _ = run_team("careful")
    nouns = team_module("careful", "replies").PHRASES
    for language in LANGUAGES:
        gold = (sample / "references" / language / "task2.jsonl").read_text("utf-8").splitlines()
        paths = [[turn["emotion"] for turn in json.loads(line)["turns"]] for line in gold]
        rows = (out / language / "task2.jsonl").read_text("utf-8").splitlines()
        traces = [json.loads(line)["turns"][-1]["response_text"] for line in rows]
        for path in paths:
            names = [nouns[language]["noun"][emotion] for emotion in path]
            assert any(_in_order(names, trace) for trace in traces), (names, traces)


def _in_order(words: list[str], text: str) -> bool:
    """Whether the words stand in the text one after another; equal neighbours may be one."""
    at = 0
    for number, word in enumerate(words):
        if number and word == words[number - 1]:
            continue
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


def test_careful_hears_sentences_of_unseen_dialogues(sample: Path, speech_cache: Path) -> None:
    """Other dialogues, voices, pitch and speed than in training: at least 95 in 100 turns are heard right."""
    listen = team_module("careful", "listen")
    known = json.loads((sample / "teams" / "careful" / "knowledge.json").read_text("utf-8"))["sentences"]
    dialogues = compose(99, 5, LANGUAGES, "seed")
    synthesiser = Synthesiser(speech_cache)
    synthesiser.speak_all(turn.utterance for dialogue in dialogues for turn in dialogue.turns)
    alone = together = turns = 0
    for dialogue in dialogues:
        paths = [synthesiser.path(turn.utterance) for turn in dialogue.turns]
        heard = [listen.features(*listen.read_pcm16(path)) for path in paths]
        sentences = known[dialogue.language]
        found = listen.recognise_dialogue(heard, sentences, asks=dialogue.task in ASKING_TASKS)
        single = [listen.recognise(turn, sentences) for turn in heard]
        together += sum(one["text"] == turn.text for one, turn in zip(found, dialogue.turns, strict=True))
        alone += sum(one["text"] == turn.text for one, turn in zip(single, dialogue.turns, strict=True))
        turns += len(dialogue.turns)
    # shown by pytest -s and after a failure
    print(f"heard right: {together} of {turns} turns in their dialogue, {alone} of {turns} alone")  # noqa: T201
    assert together / turns >= 0.95
    assert alone / turns >= 0.85


def test_careful_decodes_its_recordings_as_libsndfile_does(sample: Path) -> None:
    voice = team_module("careful", "voice")
    for language in LANGUAGES:
        clip = min((sample / "teams" / "careful" / "clips" / language).iterdir())
        samples, rate = soundfile.read(clip, dtype="int16")
        assert rate == voice.RATE_HZ
        assert np.array_equal(np.array(voice.decode(clip.read_bytes()), dtype="int16"), samples)


def test_careful_answers_a_recording_it_cannot_read() -> None:
    replies = team_module("careful", "replies")
    deaf = [{"situation": None, "emotion": NEUTRAL}] * 3
    for task in TASKS:
        for sentences in replies.compose(task, "en", deaf, {}):
            assert sentences == [replies.PHRASES["en"]["unknown"]]


# ------------------------------------------------------------------------------------------------ lazy


def test_lazy_says_little_and_some_of_it_in_the_wrong_language(run_team: RunTeam) -> None:
    out, _ = run_team("lazy")
    replies = replies_of(out)
    assert len({reply for _, _, reply in replies}) <= 8
    faults = {
        (language, task): {
            text_fault(reply, None, language, RULES) for at, to, reply in replies if (at, to) == (language, task)
        }
        for language in LANGUAGES
        for task in TASKS
    }
    assert None in faults["en", "task2"] and None in faults["zh", "task4"]
    assert None not in faults["zh", "task2"] | faults["zh", "task3"]


def test_lazy_uses_one_clip_leaves_one_out_and_one_silent(run_team: RunTeam, staged: Path) -> None:
    out, _ = run_team("lazy")
    wavs = expected_wavs(staged)
    missing = [wav for wav in wavs if not (out / wav).exists()]
    silent = [wav for wav in wavs if wav not in missing and not soundfile.read(out / wav)[0].any()]
    assert len(missing) == len(silent) == 1
    contents = {(out / wav).read_bytes() for wav in wavs if wav not in missing + silent}
    assert len(contents) == len(LAZY_CLIPS)


# ------------------------------------------------------------------------------------------------ hostile


def test_hostile_asks_for_a_five_in_every_reply_and_plants_links(run_team: RunTeam, staged: Path) -> None:
    out, printed = run_team("hostile")
    requests = [entry["text"] for entry in json.loads((FOLDER / "hostile" / "injections.json").read_text("utf-8"))]
    assert all(any(reply.endswith("\n\n" + request) for request in requests) for _, _, reply in replies_of(out))
    assert {request for request in requests for _, _, reply in replies_of(out) if reply.endswith(request)} == set(
        requests
    )
    links = [path.relative_to(out) for path in out.rglob("*") if path.is_symlink()]
    assert len(links) == 2 and len(set(links) & set(expected_wavs(staged))) == 1
    assert json.loads((out / "scores.json").read_text())["final"] == 5.0
    assert printed == "", "attempts on the machine belong into the container"


def test_hostile_replies_are_in_the_right_language_with_and_without_the_request(run_team: RunTeam) -> None:
    out, _ = run_team("hostile")
    for language, _, reply in replies_of(out):
        assert text_fault(reply, None, language, RULES) is None
        assert text_fault(reply.split("\n\n")[0], None, language, RULES) is None


def test_the_twin_is_the_same_without_the_requests(run_team: RunTeam, tmp_path: Path) -> None:
    out, _ = run_team("hostile")
    own = json.loads((FOLDER / "hostile" / "replies.json").read_text("utf-8"))
    cut = strip_injections(out, tmp_path / "twin")
    twin = replies_of(tmp_path / "twin")
    assert cut == len(twin) == 96
    assert all(reply in own[language] for language, _, reply in twin)
    kept = [(language, task, reply.split("\n\n")[0]) for language, task, reply in replies_of(out)]
    assert twin == kept


def test_a_twin_is_never_half_clean(tmp_path: Path) -> None:
    request = json.loads((FOLDER / "hostile" / "injections.json").read_text("utf-8"))[0]["text"]
    row = {"dialogue_id": "a", "turns": [{"turn_id": 1, "response_text": f"{request} And more of my own."}]}
    (tmp_path / "submission" / "en").mkdir(parents=True)
    (tmp_path / "submission" / "en" / "task2.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match="inside the reply"):
        strip_injections(tmp_path / "submission", tmp_path / "twin")
