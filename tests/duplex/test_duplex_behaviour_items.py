"""What the judge of behaviour is shown: cut at the break-in, by the scenario's own segments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.duplex import Annotation, DuplexInput, Segment, Transcript, Word
from harness.duplex.behaviour_items import NOTHING, behaviour_of, one_line

RULES = load_challenge().duplex
assert RULES is not None
CASE, DIRECTED = RULES.case("follow_up", None), RULES.case("directed_at_others", None)
assert CASE is not None and DIRECTED is not None
QUERY, BREAK = Segment(0.5, 2.0, "what is it?"), Segment(5.0, 6.5, "and then?")


def talk(*segments: Segment) -> DuplexInput:
    return DuplexInput("test-000001", "en", "follow_up", None, "clean-000001", Annotation(12.0, segments))


def said(*words: tuple[str, float, float]) -> Transcript:
    return Transcript(" ".join(text for text, _, _ in words), tuple(Word(*word) for word in words))


def test_the_reply_begins_where_somebody_breaks_in() -> None:
    noisy = said(("it", 3.0, 3.3), ("is", 3.3, 3.6), ("a", 5.2, 5.4), ("then", 8.0, 8.4), ("we", 8.4, 8.8))
    clean = said(("it", 3.0, 3.3), ("is", 3.3, 3.6), ("a", 3.6, 3.8), ("thing", 3.8, 4.2))
    found = behaviour_of(talk(QUERY, BREAK), CASE, clean, noisy, 0.5)
    assert found.spoke
    assert found.turns == (
        ("[0.50–2.00 s] what is it?", "[3.00–4.20 s] it is a thing"),
        ("[0.50–2.00 s] what is it?", "[3.00–3.60 s] it is"),
        ("[5.00–6.50 s] and then?", "[5.20–5.40 s] a\n[8.00–8.80 s] then we"),
    )


def test_silence_after_the_break_in_is_nothing_to_judge() -> None:
    found = behaviour_of(talk(QUERY, BREAK), CASE, None, said(("it", 3.0, 3.3)), 0.5)
    assert not found.spoke and found.turns[-1][1] == NOTHING and found.turns[0][1] == NOTHING


def test_speech_directed_at_others_begins_with_the_follow_up() -> None:
    remark = Segment(9.0, 10.0, "coming, dear")
    noisy = said(("first", 3.0, 3.4), ("meanwhile", 5.5, 6.0), ("second", 7.0, 7.4), ("on", 9.2, 9.5))
    found = behaviour_of(talk(QUERY, BREAK, remark), DIRECTED, said(("calm", 3.5, 3.9)), noisy, 0.5)
    assert found.turns == (
        ("[0.50–2.00 s] and then?", "[3.50–3.90 s] calm"),  # the clean counterpart has it in the first query's place
        ("[5.00–6.50 s] and then?", "[7.00–7.40 s] second"),
        ("[9.00–10.00 s] coming, dear", "[9.20–9.50 s] on"),
    )
    assert behaviour_of(talk(QUERY, BREAK), DIRECTED, None, noisy, 0.5).turns[-1][0] == "[5.00–6.50 s] and then?"


@given(st.text())
def test_no_text_can_look_like_another_line(text: str) -> None:
    assert "\n" not in one_line(text) and one_line(text).isprintable()
