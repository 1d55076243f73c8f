"""Emotion recognition: known figures, what is missing is wrong, and a team that stays away has none."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.submission import ReplyDialogue, ReplyTurn, Submission
from harness.scoring.recognition import label_scores, recognition

CHALLENGE = load_challenge()
LABELS = st.sampled_from(["happy", "sad", "fear"])


def test_known_figures() -> None:
    pairs = [("sad", "sad"), ("sad", "happy"), ("happy", "happy"), ("fear", "")]
    assert label_scores(pairs) == {
        "accuracy": Fraction(1, 2),
        "macro_f1": Fraction(2, 3) * Fraction(2, 3),  # sad 2/3, happy 2/3, fear 0
        "uar": Fraction(1, 2),  # sad 1/2, happy 1, fear 0
    }


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1))
def test_figures_are_shares_and_do_not_depend_on_order(pairs: list[tuple[str, str]]) -> None:
    found = label_scores(pairs)
    assert all(0 <= value <= 1 for value in found.values())
    assert found == label_scores(pairs[::-1])
    assert label_scores([(true, true) for true, _ in pairs]) == dict.fromkeys(found, Fraction(1))


def turn(number: int, **labels: str) -> ReferenceTurn:
    return ReferenceTurn(number, "I won", None, None, tuple(labels.items()))


def team(*dialogues: ReplyDialogue) -> Submission:
    return Submission("alpha", "A", "one", "seed", "track1", dialogues)


def test_both_fields_are_scored_over_the_references() -> None:
    references = [
        ReferenceDialogue("task1", "en", "a", (turn(1, surface_emotion="Happy", deep_emotion="sad"),)),
        ReferenceDialogue("task1", "en", "b", (turn(1, surface_emotion="sad"),)),
        ReferenceDialogue("task1", "zh", "c", (turn(1, surface_emotion="sad"),)),
        ReferenceDialogue("task2", "en", "d", (turn(1),)),
    ]
    said = (("surface_emotion", " happy "), ("deep_emotion", "fear"))
    reply = ReplyDialogue("task1", "en", "a", (ReplyTurn(1, None, labels=said),))
    found = {
        (each.language, each.measure): (each.mean, each.n) for each in recognition(references, team(reply), CHALLENGE)
    }
    assert found["en", "surface_emotion.accuracy"] == (0.5, 2)
    assert found["en", "deep_emotion.accuracy"] == (0.0, 1)
    assert {language for language, _ in found} == {"en"}
    assert recognition(references, team(), CHALLENGE) == ()
