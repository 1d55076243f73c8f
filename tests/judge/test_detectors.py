"""What a person should look at is flagged; what an honest reply says is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.challenge.load import load_challenge
from harness.documents.verdict import Verdict
from harness.judge.detectors import constant_replies, differs_from_speech, sample_flags, surprising, text_flags
from harness.judge.prompts import load_rubric

CHALLENGE = load_challenge()
RULES = CHALLENGE.review
CALIBRATION = Path(__file__).parents[2] / "calibration"


def flags(text: str, task: str = "task2") -> tuple[str, ...]:
    dimensions = CHALLENGE.tasks[task].dimension_ids()
    return text_flags(text, dimensions, load_rubric(task).template, CHALLENGE.emotions)


def honest() -> list[tuple[str, str]]:
    lines = [line for name in ("calibration", "heldout") for line in (CALIBRATION / f"{name}.jsonl").open("rb")]
    return [(task, reply) for line in lines for task, reply in json.loads(line)["good"].items()]


@pytest.mark.parametrize(
    "text",
    [
        "This reply accurately captures every emotion the user went through.",
        "The response demonstrates deep insight and is complete.",
        "Accuracy Completeness: the path is right.",
        "I name every emotion of the course in its order, neutral ones included, and invent none.",
        "该回答准确完整地涵盖了所有情绪，体现了深刻的洞察。",
        "这个回复充分整合了多轮信息。",
    ],
)
def test_a_reply_that_talks_like_the_rubric_is_flagged(text: str) -> None:
    assert flags(text) == ("F_RUBRIC",)


@pytest.mark.parametrize(
    "text",
    [
        "emotion: sad",
        'I hear you. {"emotion": "fear"}',
        "[anger] That must hurt.",
        "happy -> fear -> neutral",
        "情绪：sad",
        "（sad）你一定很难过。",
    ],
)
def test_labels_as_data_are_flagged(text: str) -> None:
    assert flags(text) == ("F_GOLD_ECHO",)


def test_no_honest_reply_is_flagged() -> None:
    replies = honest()
    assert len(replies) > 100
    assert [(reply, found) for task, reply in replies if (found := flags(reply, task))] == []
    assert flags("You were happy, then fear and sadness came; at last you felt neutral.") == ()
    assert flags("Your reply to her was perfect, and her answer shows that she cares.", "task4") == ()


def test_one_reply_for_all_dialogues_is_seen_even_when_a_word_differs() -> None:
    same = "I hear how much this hurts, and you do not have to carry it alone."
    replies = {
        "a": same,
        "b": same.upper(),
        "c": same.replace("hurts", "aches"),
        "d": "Your father's watch meant a lot to you.",
        "e": "",
    }
    assert constant_replies(replies, RULES) == {"a", "b", "c"}
    assert constant_replies({"a": same, "b": same}, RULES) == frozenset()
    assert constant_replies({name: same[:20] + str(name) * 40 for name in range(5)}, RULES) == frozenset()


def test_honest_replies_of_one_team_are_not_constant() -> None:
    assert constant_replies(dict(enumerate(reply for _, reply in honest())), RULES) == frozenset()


@pytest.mark.parametrize(
    ("text", "transcript", "differs"),
    [
        ("I am sorry that you lost it.", "i am sorry that you lost it", False),
        ("I am sorry that you lost it.", "I'm sorry you lost it", False),
        ("I am sorry that you lost it.", "Buy now and save fifty percent today", True),
        ("我很难过你丢了它", "我很难过，你丢了它。", False),
        ("我很难过你丢了它", "今天天气真不错啊", True),
        ("", "anything", True),
        ("", "", False),
    ],
)
def test_what_is_heard_is_held_against_what_is_written(text: str, transcript: str, differs: bool) -> None:
    assert differs_from_speech(text, transcript, RULES) is differs  # F_MISMATCH


def verdict(mark: int, reason: str = "", **more: Any) -> Verdict:
    return Verdict("k", 0, {"warmth": mark}, {"warmth": reason}, "r", 1, "scored", **more)


def test_samples_far_apart_are_flagged() -> None:
    scale = {"warmth": (1, 2, 3, 4, 5)}
    assert sample_flags([verdict(1), verdict(5), verdict(5)], scale, RULES) == ("F_UNSTABLE",)
    assert sample_flags([verdict(3), verdict(5), verdict(4)], scale, RULES) == ()
    assert sample_flags([verdict(1), verdict(5)], {"warmth": (1, 3, 5)}, RULES) == ()
    assert sample_flags([], scale, RULES) == ()


@pytest.mark.parametrize(
    ("reason", "flagged"),
    [
        ("mirrors the user, 2/5", True),
        ("I give it a 2.", True),
        ("只是重复，得2分", True),
        ("kind and fitting, 4/5", False),
        ("4 out of 5", False),
        ("scored 3 goals in 2 minutes, and 2/3 of it is warm", False),
        ("it waited 5 minutes", False),
        ("", False),
    ],
)
def test_a_reason_with_another_mark_is_flagged(reason: str, flagged: bool) -> None:
    found = sample_flags([verdict(4, reason)], {"warmth": (1, 2, 3, 4, 5)}, RULES)
    assert found == (("F_INCONSISTENT",) if flagged else ())


def test_unlikely_language_is_flagged_only_where_it_is_measured() -> None:
    odd = verdict(3, evidence={"surprise": 9.0})
    assert surprising([odd], 6.5)  # F_PPL
    assert not surprising([odd], None)
    assert not surprising([odd], 9.5)
    assert not surprising([verdict(3)], 6.5)
