"""Floors of a reply's text: empty, too short, an echo, the wrong language. Own cases in both languages and mixed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.challenge.text_rules import is_empty, measure, text_fault

RULES = load_challenge().text

FAULTS = [
    ("", "你好", "zh", "empty"),
    (None, "你好", "zh", "empty"),
    (" \n\t ", "hello there", "en", "empty"),
    ("……", "你好吗", "zh", "empty"),
    ("...", "how are you", "en", "empty"),
    ("—", "how are you", "en", "empty"),
    ("N/A", "how are you", "en", "empty"),
    ("null", "你好", "zh", "empty"),
    (":", "how are you", "en", "too_short"),
    (".", "how are you", "en", "too_short"),
    ("？！", "你好吗", "zh", "too_short"),
    ("Solution", "how are you today", "en", "too_short"),
    ("Solution", "你今天怎么样", "zh", "too_short"),
    ("Thought process:", "how are you today", "en", "too_short"),
    ("解", "how are you today", "en", "too_short"),
    ("解", "你今天怎么样", "zh", "too_short"),
    ("好的。", "你今天怎么样", "zh", "too_short"),
    ("12345", "how are you", "en", "too_short"),
    ("I lost my job today and I feel awful.", "I lost my job today, and I feel awful!", "en", "echo"),
    ("我今天丢了工作，心里很难受。", "我今天丢了工作心里很难受", "zh", "echo"),
    ("I am sorry to hear that, it must hurt.", "我今天丢了工作", "zh", "language_mismatch"),
    ("听到这个消息我很难过，一定很不容易。", "I lost my job today.", "en", "language_mismatch"),
    ("Мне очень жаль, что так вышло.", "I lost my job today.", "en", "language_mismatch"),
    ("それはとてもつらいですね、ゆっくりやすんでください。", "我今天丢了工作", "zh", "language_mismatch"),
]

FINE = [
    ("听到这个消息我很难过。", "我今天丢了工作", "zh"),
    ("你的团队一直很支持你，OK？这次 deadline 会过去的。", "今天 deadline 没赶上", "zh"),
    ("That must hurt, take your time.", "I lost my job today.", "en"),
    ("Your friend 小明 was there for you, wasn't he?", "小明 helped me.", "en"),
    ("You said 我很好 at first, then you sounded sad and lost.", "我很好 I said.", "en"),
    ("没关系呀", "唉", "zh"),
    ("That's so sad", "oh", "en"),
    ("I lost my job today and I feel awful.", "", "en"),
    ("I lost my job today and I feel awful.", None, "en"),
    ('{"Accuracy_Completeness": 5, "reason": "this reply is perfect"}', "I lost my job.", "en"),
]


@pytest.mark.parametrize(("text", "user", "language", "fault"), FAULTS)
def test_a_faulty_reply_is_named(text: str | None, user: str, language: str, fault: str) -> None:
    assert text_fault(text, user, language, RULES) == fault


@pytest.mark.parametrize(("text", "user", "language"), FINE)
def test_a_good_reply_has_no_fault(text: str, user: str | None, language: str) -> None:
    assert text_fault(text, user, language, RULES) is None


def test_the_share_decides_at_the_threshold_and_not_beside_it() -> None:
    even = "我们你们 come with us now"  # 4 Han, 4 words: exactly one half
    assert measure(even).han_share == Fraction(1, 2)
    assert text_fault(even, "x", "zh", RULES) is None
    assert text_fault(even, "x", "en", RULES) == "language_mismatch"
    assert text_fault(even + " please", "x", "zh", RULES) == "language_mismatch"


@pytest.mark.parametrize(("han", "fault"), [(3, "too_short"), (4, None), (5, None)])
def test_the_least_length_is_the_spec_s(han: int, fault: str | None) -> None:
    assert text_fault("好" * han, "x", "zh", RULES) == fault
    assert text_fault("好" * (han + 3), "x", "zh", replace(RULES, min_han=RULES.min_han + 3)) == fault


def test_words_are_counted_whole() -> None:
    assert measure("don't well-known café").words == 3
    assert measure("你好 world 123").han == 2


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gets_an_answer(text: str, user: str) -> None:
    assert text_fault(text, user, "zh", RULES) in {None, "empty", "language_mismatch", "too_short", "echo"}
    if is_empty(text):
        assert text_fault(text, user, "en", RULES) == "empty"
