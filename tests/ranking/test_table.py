"""Ranks, ties, rows without a rank, and which reports may stand in one table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cohort import OFFICIAL, report
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.codec import canonical_json
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import Leaderboard, Unscored, leaderboard_plain
from harness.documents.report import MOVED, CanaryCheck, Evidence
from harness.errors import MachineError, UsageError
from harness.ranking.table import leaderboard
from harness.reporting.leaderboard import footer

CHALLENGE = load_challenge()
TRACK = CHALLENGE.tracks["track1"]


def order(board: Leaderboard) -> list[tuple[int | None, str]]:
    return [(row.rank, row.team) for row in board.rows]


def test_ties_share_a_rank_and_stand_by_team_id() -> None:
    board = leaderboard(
        [report("ccc"), report("aaa", 40), report("bbb", 60, 20), report("ddd", 20)], CHALLENGE, "track1"
    )
    assert order(board) == [(1, "aaa"), (2, "bbb"), (2, "ccc"), (4, "ddd")]


def test_ranks_follow_exact_fractions_not_floats() -> None:
    low, high = "30000000000000000", "30000000000000001"
    board = leaderboard([report("low", f"{low}/1", 10**16), report("high", f"{high}/1", 10**16)], CHALLENGE, "track1")
    assert board.rows[0].final == board.rows[1].final  # as floats they are equal
    assert order(board) == [(1, "high"), (2, "low")]


def test_late_rows_stand_where_they_fall_without_a_rank_and_the_baseline_is_ranked() -> None:
    reports = [report("aaa", 40), report("late", 35, late=True), report("base", 30, baseline=True), report("zzz", 20)]
    board = leaderboard(reports, CHALLENGE, "track1")
    assert order(board) == [(1, "aaa"), (None, "late"), (2, "base"), (3, "zzz")]
    without = leaderboard(reports, CHALLENGE, "track1", exclude_late=True)
    assert order(without) == [(1, "aaa"), (2, "base"), (3, "zzz")]
    assert "late" in board.rows[1].notes[0]


def test_a_late_row_that_ties_takes_no_rank_away() -> None:
    board = leaderboard([report("aaa"), report("bbb", late=True), report("ccc")], CHALLENGE, "track1")
    assert order(board) == [(1, "aaa"), (None, "bbb"), (1, "ccc")]


def test_teams_without_a_score_stand_below_with_the_reason() -> None:
    waiting = replace(report("waits", 50), complete=False)
    unscored = [Unscored(team="zero", reason="run timed_out"), Unscored(team="nil", reason="invalid submission")]
    board = leaderboard([waiting, report("aaa")], CHALLENGE, "track1", unscored=unscored)
    assert order(board) == [(1, "aaa"), (None, "waits"), (None, "nil"), (None, "zero")]
    assert board.rows[1].final is None and board.rows[1].languages == {"zh": None, "en": None}
    assert board.rows[1].notes[0].startswith("incomplete")
    assert board.rows[3].notes == ("run timed_out",)


def test_phase_final_lists_a_row_with_a_null_below() -> None:
    broken = report("aaa", 50)
    broken = replace(broken, dimensions=tuple(d for d in broken.dimensions if d.source == "judge"))
    board = leaderboard([broken, report("bbb", 20)], CHALLENGE, "track1", "final")
    assert order(board) == [(1, "bbb"), (None, "aaa")]
    assert "task4.vocal_empathy_congruence" in board.rows[1].notes[0]
    assert board.official is False


def test_official_needs_all_of_its_conditions() -> None:
    reports = [report("aaa"), report("bbb")]
    assert leaderboard(reports, CHALLENGE, "track1", "final").official is True
    failed = [Unscored(team="zero", reason="run timed_out")]
    assert leaderboard(reports, CHALLENGE, "track1", "final", unscored=failed).official is True
    assert leaderboard(reports, CHALLENGE, "track1", "auto").official is False
    small = replace(OFFICIAL, official=False)
    assert leaderboard([report("aaa", judge=small)], CHALLENGE, "track1", "final").official is False
    assert leaderboard([report("aaa", judge=None)], CHALLENGE, "track1", "final").official is False
    waiting = replace(report("waits"), complete=False)
    assert leaderboard([*reports, waiting], CHALLENGE, "track1", "final").official is False


@pytest.mark.parametrize(
    "change",
    [
        {"judge": replace(OFFICIAL, fingerprint="sha256:" + "b" * 64)},
        {"judge": None},
        {"policy": "published"},
        {"track": "track2"},
        {"challenge": ChallengeRef(CHALLENGE.id, "sha256:" + "0" * 64)},
    ],
)
def test_a_table_never_mixes(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        leaderboard([report("aaa"), report("bbb", **change)], CHALLENGE, "track1")
    assert caught.value.code == "E_MIXED"


def test_reports_of_another_spec_are_refused() -> None:
    other = ChallengeRef(CHALLENGE.id, "sha256:" + "0" * 64)
    with pytest.raises(UsageError) as caught:
        leaderboard([report("aaa", challenge=other)], CHALLENGE, "track1")
    assert caught.value.code == "E_MIXED"


def test_a_team_stands_once() -> None:
    for reports, unscored in (
        ([report("aaa"), report("aaa", 20)], []),
        ([report("aaa")], [Unscored(team="aaa", reason="run failed")]),
    ):
        with pytest.raises(UsageError) as caught:
            leaderboard(reports, CHALLENGE, "track1", unscored=unscored)
        assert caught.value.code == "E_TEAM_DUP"


def test_a_stored_nan_is_refused() -> None:
    bad = report("aaa")
    bad = replace(bad, dimensions=(replace(bad.dimensions[0], mean=float("nan")), *bad.dimensions[1:]))
    with pytest.raises(MachineError) as caught:
        leaderboard([bad], CHALLENGE, "track1")
    assert caught.value.code == "E_SCORE"


def test_nothing_to_tabulate_and_unknown_tracks() -> None:
    for reports, track in (([], "track1"), ([report("aaa", late=True)], "track1"), ([report("aaa")], "track9")):
        with pytest.raises(UsageError) as caught:
            leaderboard(reports, CHALLENGE, track, exclude_late=True)
        assert caught.value.code == "E_USAGE"


def test_columns_averages_and_what_stands_behind() -> None:
    row = leaderboard([report("aaa", 35)], CHALLENGE, "track1").rows[0]
    assert row.columns["zh.task2.avg"] == row.columns["en.task4.textual_empathy_insight"] == row.final == 3.5
    assert row.display["final"] == row.display["en"] == "3.50"
    assert set(row.behind) == {name for name in row.columns if not name.endswith(".avg")}
    assert row.behind["zh.task3.Clarity_Logic"].n == 10


def test_rounding_is_for_display_only() -> None:
    board = leaderboard([report("aaa", "565/20"), report("bbb", "5649/200")], CHALLENGE, "track1")
    assert order(board) == [(1, "aaa"), (2, "bbb")]
    assert [row.display["final"] for row in board.rows] == ["2.83", "2.82"]


TEAMS = [
    report("aaa", 30),
    report("bbb", 30),
    report("ccc", 45, late=True),
    report("ddd", 20, baseline=True),
    replace(report("eee", 50), complete=False),
]
FAILED = [Unscored(team="fff", reason="run failed"), Unscored(team="ggg", reason="invalid")]


@settings(deadline=None)
@given(st.permutations(TEAMS), st.permutations(FAILED), st.sampled_from(["auto", "final"]))
def test_the_order_of_the_inputs_changes_no_byte(reports: Any, unscored: Any, phase: Any) -> None:
    wanted = leaderboard(TEAMS, CHALLENGE, "track1", phase, unscored=FAILED)
    found = leaderboard(reports, CHALLENGE, "track1", phase, unscored=unscored)
    assert canonical_json(leaderboard_plain(found)) == canonical_json(leaderboard_plain(wanted))


@settings(deadline=None)
@given(st.lists(st.integers(10, 50), min_size=1, max_size=8))
def test_a_rank_is_one_more_than_how_many_are_better(totals: list[int]) -> None:
    board = leaderboard([report(f"team-{i}", total) for i, total in enumerate(totals)], CHALLENGE, "track1")
    scores = dict(zip((f"team-{i}" for i in range(len(totals))), totals, strict=True))
    for row in board.rows:
        assert row.rank == 1 + sum(other > scores[row.team] for other in totals)
    assert [scores[row.team] for row in board.rows] == sorted(totals, reverse=True)


def test_inputs_digest_changes_with_any_input() -> None:
    boards = [
        leaderboard([report("aaa")], CHALLENGE, "track1"),
        leaderboard([report("aaa", 31)], CHALLENGE, "track1"),
        leaderboard([report("aaa")], CHALLENGE, "track1", unscored=FAILED),
        leaderboard([report("aaa")], CHALLENGE, "track1", "final"),
    ]
    assert len({board.inputs_sha256 for board in boards}) == len(boards)


def test_a_judge_that_failed_its_known_answer_items_is_not_published() -> None:
    drifted = report("bbb", canaries=CanaryCheck(20, ("en.task2.poor.x: 5.00, wanted 1 to 2",), False))
    with pytest.raises(MachineError) as caught:
        leaderboard([report("aaa", canaries=CanaryCheck(20, (), True)), drifted], CHALLENGE, "track1")
    assert (caught.value.code, caught.value.exit_code) == ("E_CANARY", 3)
    assert "bbb" in str(caught.value) and "en.task2.poor.x" in str(caught.value)
    tolerated = report("bbb", canaries=CanaryCheck(20, ("one",), True))
    assert len(leaderboard([report("aaa"), tolerated], CHALLENGE, "track1").rows) == 2


def test_replies_that_are_all_the_same_are_noted_before_publication() -> None:
    board = leaderboard([report("aaa", review={"F_CONST": 7, "F_INJ": 1})], CHALLENGE, "track1")
    assert any("7 replies are nearly the same" in note for note in board.rows[0].notes)
    assert not any("F_INJ" in note for note in board.rows[0].notes)


def test_the_noise_of_a_judge_that_was_asked_several_times_stands_under_the_table() -> None:
    noisy = replace(
        report("aaa"), evidence=(Evidence("task2", "zh", MOVED, 0.1, 30), Evidence("task3", "en", MOVED, 0.4, 10))
    )
    board = leaderboard([noisy, report("bbb", 20)], CHALLENGE, "track1")
    assert board.noise == 0.175
    assert any("17.5 % of the marks differ between samples" in line for line in footer(board, CHALLENGE))
    once = leaderboard([report("aaa")], CHALLENGE, "track1")
    assert once.noise is None
    assert not any("asked several times" in line for line in footer(once, CHALLENGE))
    assert "noise" not in leaderboard_plain(once)
