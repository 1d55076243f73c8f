"""A challenge that shares no name with the built-in one goes through loading, planning, scoring and the table."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import canonical_json
from harness.documents.leaderboard import leaderboard_plain
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.report import JudgeRef, ScoreReport
from harness.documents.submission import ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import Verdict
from harness.ranking.table import leaderboard
from harness.reporting.leaderboard import FORMATS, render
from harness.scoring import plan_items, score_items, score_report
from harness.scoring.published import read_reply

ROOT = Path(__file__).resolve().parents[2]
TEA = load_challenge(str(ROOT / "tests" / "data" / "invented.toml"))
KETTLE = TEA.judges["kettle"]
JUDGE = JudgeRef(KETTLE.id, "sha256:" + "c" * 64, KETTLE.official, KETTLE.not_judged)


def dialogue(task: str, language: str, name: str, *emotions: str) -> ReferenceDialogue:
    turns = tuple(ReferenceTurn(10 + i, f"the kettle sings song {i}", e, None) for i, e in enumerate(emotions))
    return ReferenceDialogue(task, language, name, turns)


REFERENCES = [
    dialogue("greeting", "xq", "g1", "calm"),
    dialogue("greeting", "xq", "g2", "calm", "glad"),
    dialogue("story", "xq", "s1", "cross", "glad", "calm"),
    dialogue("story", "sw", "s1", "cross"),
    dialogue("story", "xq", "spilt", "cross"),
    dialogue("story", "xq", "cold_1_7", "calm"),
]


def submission(team: str, text: str = "please sit and drink with us") -> Submission:
    replies = tuple(
        ReplyDialogue(
            r.task,
            r.language,
            r.dialogue_id,
            tuple(ReplyTurn(t.turn_id, text, ReplyAudio("a.wav", "ok")) for t in r.turns),
        )
        for r in REFERENCES
    )
    return Submission(team, f"The {team} team", "pot", "tray", "pour", replies)


def report(team: str, warmth: int, pace: int, text: str = "please sit and drink with us") -> ScoreReport:
    policy = TEA.policies["strict"]
    entry = submission(team, text)
    plan = plan_items(REFERENCES, entry, TEA, policy, "tray", KETTLE)
    marks = {"warmth": warmth, "wit": 10, "pace": pace}
    verdicts = {
        d.key: Verdict("k", 0, {name: marks[name] for name in d.wanted}, {}, "r", 1, "scored", {"speech_s": 0.5})
        for d in plan.to_judge
    }
    return score_report(score_items(plan, verdicts), entry, TEA, policy, JUDGE)


def test_the_evaluated_turn_and_the_exclusions_follow_the_spec() -> None:
    plan = plan_items(REFERENCES, submission("tin"), TEA, TEA.policies["strict"], "tray", KETTLE)
    states = {d.key: (d.turn_id, set(d.states.values())) for d in plan.dialogues}
    assert states == {
        ("greeting", "xq", "g1"): (10, {None}),
        ("greeting", "xq", "g2"): (11, {None}),
        ("story", "xq", "cold_1_7"): (None, {"excluded"}),
        ("story", "xq", "s1"): (11, {None, "not_judged"}),
        ("story", "xq", "spilt"): (10, {"excluded"}),
        ("story", "sw", "s1"): (10, {None, "not_judged"}),
    }


def test_floors_are_the_lowest_marks_of_these_scales() -> None:
    found = {(d.task, d.dimension, d.language): d for d in report("mute", 10, 2, text="").dimensions}
    assert (found["greeting", "warmth", "xq"].sum, found["greeting", "warmth", "xq"].counts) == (0, {"empty": 2})
    assert found["story", "pace", "xq"].sum == 2
    assert found["story", "plot", "xq"].mean is None
    assert found["greeting", "wit", "hak"].n == 0


def test_finals_weights_and_columns_are_the_spec_s() -> None:
    board = leaderboard([report("tin", 0, -1), report("cup", 10, 2)], TEA, "pour", "final")
    assert board.official is False  # nothing was handed out in one language
    board = leaderboard([report("tin", 0, -1), report("cup", 10, 2)], TEA, "pour")
    assert [(row.rank, row.team) for row in board.rows] == [(1, "cup"), (2, "tin")]
    cup = board.rows[0]
    # xq: 3/7 of the greeting's average 10 and 4/7 of the pace 2; sw has only the pace, hak nothing.
    judged = Fraction(1, 2) + Fraction(1, 6) * Fraction(4, 7)
    wanted = (Fraction(1, 2) * Fraction(38, 7) + Fraction(1, 6) * Fraction(8, 7)) / judged
    assert cup.final == float(wanted)
    assert cup.languages == {"xq": float(Fraction(38, 7)), "hak": None, "sw": 2.0}
    assert set(cup.display["final"].partition(".")[2]) <= set("0123456789") and len(cup.display["final"]) == 5
    assert "xq.greeting.avg" in cup.columns and "xq.story.avg" not in cup.columns and "xq.story.plot" not in cup.columns
    assert set(cup.missing_weight) == {"greeting.warmth", "greeting.wit", "story.pace"}
    assert leaderboard_plain(board)["rows"][0]["xq"] == float(Fraction(38, 7))


@pytest.mark.parametrize("format_", FORMATS)
def test_no_name_of_another_challenge_appears(format_: str) -> None:
    board = leaderboard([report("tin", 0, -1), report("cup", 10, 2)], TEA, "pour")
    text = render(board, TEA, format_).decode()
    assert "cup" in text
    assert not re.search(r"humdial|task[1-5]|track[12]|\bzh\b|\ben\b", text.replace("humdial-harness", ""))


def test_published_reading_follows_these_scales() -> None:
    greeting, story = TEA.tasks["greeting"], TEA.tasks["story"]
    assert read_reply('{"scores": {"warmth": 9.9, "wit": "12"}}', greeting).scores == {"warmth": 0, "wit": 10}
    assert read_reply('{"scores": {"pace": -7, "plot": 1.5}}', story).scores == {"pace": -2, "plot": 1}
    assert read_reply("{}", greeting).outcome == "misshapen"
    assert read_reply("{}", story).scores == {"pace": -2, "plot": -2}


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = (canonical_json(leaderboard_plain(leaderboard([report("tin", 0, 1)], TEA, "pour"))) for _ in "ab")
    assert first == second


def test_the_code_of_these_rooms_names_nothing_of_the_built_in_challenge() -> None:
    built_in = load_challenge()
    names = {*built_in.tracks, *built_in.tasks, *(d for t in built_in.tasks.values() for d in t.dimension_ids())}
    quoted = {f'"{label}"' for label in (*built_in.emotions, *built_in.languages)}
    rooms = ["scoring", "ranking", "reporting", "challenge"]
    for path in (path for room in rooms for path in (ROOT / "harness" / room).rglob("*.py")):
        words = path.read_text("utf-8")
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", words)
        assert not {name for name in names if re.search(rf"\b{re.escape(name)}\b", code)}, path
        assert not {label for label in quoted if label in code}, path
