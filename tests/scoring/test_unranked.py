"""Task 5: the judge's marks for emotion match and naturalness stand beside the report and move nothing in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.submission import ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import Verdict
from harness.judge.prompt import build_prompt
from harness.judge.requests import JudgeItem, judge_request, settings_document
from harness.scoring import judged_means, plan_items, plan_unranked, score_items
from harness.submission.references import read_references

CHALLENGE = load_challenge()
STRICT = CHALLENGE.policies["strict"]
OFFICIAL = CHALLENGE.judges["qwen3-omni"]
GOLD = [
    ReferenceDialogue("task5", language, f"task5_{number}", (ReferenceTurn(1, "The train is late.", "sad", None),))
    for language in ("zh", "en")
    for number in range(3)
]


def team(*names: str, language: str = "en") -> Submission:
    turns = (ReplyTurn(1, "The train is late.", ReplyAudio("x.wav", "ok")),)
    replies = [ReplyDialogue("task5", language, name, turns) for name in names]
    return Submission("alpha", "Alpha", "x", "seed", "track1", tuple(replies))


def verdict(match: int, natural: int) -> Verdict:
    return Verdict(
        "x", 0, {"emotion_match": match, "naturalness": natural}, {}, "a" * 64, 1, "scored", {"speech_s": 2.0}
    )


def test_means_are_over_the_organisers_list_of_the_languages_that_a_team_takes_part_in() -> None:
    plan = plan_unranked(GOLD, team("task5_0", "task5_1"), CHALLENGE, STRICT, "seed", OFFICIAL)
    assert [planned.key[1:] for planned in plan.dialogues] == [("en", f"task5_{number}") for number in range(3)]
    said = {("task5", "en", "task5_0"): verdict(5, 4), ("task5", "en", "task5_1"): verdict(3, 4)}
    means = {each.measure: (each.mean, each.n) for each in judged_means(score_items(plan, said))}
    assert means == {"emotion_match": (3.0, 3), "naturalness": (3.0, 3)}  # the one that is missing has 1


def test_a_failed_judgement_is_left_out_and_blocks_nothing() -> None:
    plan = plan_unranked(GOLD, team("task5_0", "task5_1", "task5_2"), CHALLENGE, STRICT, "seed", OFFICIAL)
    said = {("task5", "en", "task5_0"): verdict(5, 5)}
    assert {each.n for each in judged_means(score_items(plan, said))} == {1}


def test_a_team_that_stays_away_has_no_means_and_the_ranked_plan_is_without_the_task() -> None:
    nobody = replace(team(), dialogues=())
    assert plan_unranked(GOLD, nobody, CHALLENGE, STRICT, "seed", OFFICIAL).dialogues == ()
    assert plan_items(GOLD, team("task5_0"), CHALLENGE, STRICT, "seed", OFFICIAL).dialogues == ()


def test_a_judge_that_cannot_hear_is_not_asked() -> None:
    plan = plan_unranked(GOLD, team("task5_0"), CHALLENGE, STRICT, "seed", CHALLENGE.judges["small"])
    assert plan.to_judge == ()
    assert judged_means(score_items(plan, {})) == ()


def test_the_prompt_asks_for_the_voice_with_the_emotion_that_was_asked_for() -> None:
    plan = plan_unranked(GOLD, team("task5_0"), CHALLENGE, STRICT, "seed", OFFICIAL)
    (planned,) = plan.to_judge
    item = JudgeItem("task5", "en", planned.context(), planned.wanted, "ab" * 32)
    prompt = build_prompt(judge_request(item, CHALLENGE, "f"), settings_document(CHALLENGE, OFFICIAL, {}))
    assert prompt.audio == ("audio/" + "ab" * 32 + ".wav",)
    assert "The emotion that was asked for: sad" in prompt.text()
    assert [question.values for question in prompt.questions] == [(1, 2, 3, 4, 5)] * 2


def test_target_emotion_is_read_from_the_references(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    line = {"dialogue_id": "d1", "turns": [{"turn_id": 1, "text": "The train is late.", "target_emotion": "sad"}]}
    (tmp_path / "en" / "task5.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = read_references(tmp_path, CHALLENGE, need_labels=True).dialogues
    assert found.turns[0].emotion == "sad"
