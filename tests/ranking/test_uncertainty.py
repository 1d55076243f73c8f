"""Doubt: the same draws for every team, exact sums, tie groups, close neighbours, and what is absent without items."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cohort import CELLS, report, report_of, team
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.challenge.spec import Uncertainty
from harness.documents.codec import canonical_json
from harness.documents.items import Scores
from harness.documents.leaderboard import Leaderboard, leaderboard_plain
from harness.documents.report import ScoreReport
from harness.errors import MachineError
from harness.ranking.draws import drawn
from harness.ranking.final import cell_weights
from harness.ranking.strata import strata
from harness.ranking.table import PLACERS, leaderboard
from harness.ranking.uncertainty import _groups, _letter

CHALLENGE = replace(load_challenge(), uncertainty=Uncertainty(400, Fraction(19, 20), Fraction(1, 20)))
TRACK = CHALLENGE.tracks["track1"]


def table(*teams: tuple[ScoreReport, Scores], challenge: Any = CHALLENGE, **more: Any) -> Leaderboard:
    items = {found.team: scores for found, scores in teams}
    return leaderboard([found for found, _ in teams], challenge, "track1", items=items, **more)


def rows(board: Leaderboard) -> dict[str, Any]:
    return {row.team: row for row in board.rows}


def test_a_clear_order_is_told_apart() -> None:
    board = table(team("low", 0.1), team("mid", 0.5), team("top", 0.9))
    assert [(row.team, row.rank_low, row.rank_high, row.group) for row in board.rows] == [
        ("top", 1, 1, "a"),
        ("mid", 2, 2, "b"),
        ("low", 3, 3, "c"),
    ]
    assert [(pair.above, pair.below, pair.hidden_set_required) for pair in board.separable] == [
        ("top", "mid", False),
        ("mid", "low", False),
    ]
    for row in board.rows:
        assert row.ci is not None and row.final is not None
        low, high = row.ci["final"]
        assert low < row.final < high


def test_twins_are_never_told_apart() -> None:
    board = table(team("one", 0.5, seed=1), team("two", 0.5, seed=1), team("low", 0.1))
    assert [(row.team, row.rank, row.rank_low, row.rank_high, row.group) for row in board.rows][:2] == [
        ("one", 1, 1, 1, "a"),
        ("two", 1, 1, 1, "a"),
    ]
    assert (board.separable[0].p, board.separable[0].hidden_set_required) == (1.0, True)
    assert board.separable[1].hidden_set_required is False


def test_a_small_difference_needs_the_hidden_set() -> None:
    board = table(team("one", 0.50), team("two", 0.51))
    assert board.separable[0].hidden_set_required
    assert {row.group for row in board.rows} == {"a"}
    assert {(row.rank_low, row.rank_high) for row in board.rows} == {(1, 2)}


def test_what_counts_as_close_is_a_number_of_the_spec() -> None:
    teams = team("one", 0.5), team("two", 0.42)
    p = table(*teams).separable[0].p
    for threshold, required in ((Fraction(p).limit_denominator(401), True), (Fraction(1, 2), False)):
        spec = replace(CHALLENGE, uncertainty=replace(CHALLENGE.uncertainty, close_p=threshold))
        assert table(*teams, challenge=spec).separable[0].hidden_set_required is required


def test_a_constant_difference_is_certain_though_the_marks_spread() -> None:
    """Paired: both teams get the same draws, so dialogues that are hard for both cancel out."""
    _, low = team("low", 0.5)
    high: Scores = {key: {d: (s or 0) + Fraction(1, 50) for d, s in cell.items()} for key, cell in low.items()}
    capped: Scores = {key: {d: min(s or 0, Fraction(249, 50)) for d, s in cell.items()} for key, cell in low.items()}
    low_team = report_of(
        "low", {k: {d: (s or 0) - Fraction(1, 50) if s == 5 else s for d, s in c.items()} for k, c in capped.items()}
    )
    scores = {k: {d: (s or 0) - Fraction(1, 50) if s == 5 else s for d, s in c.items()} for k, c in capped.items()}
    top = {k: {d: min((s or 0) + Fraction(1, 50), Fraction(5)) for d, s in c.items()} for k, c in scores.items()}
    board = table((low_team, scores), (report_of("top", top), top))
    assert high and board.rows[0].team == "top"
    low_end, high_end = board.rows[0].ci["final"] if board.rows[0].ci else (0, 0)
    assert high_end - low_end > 0.1  # far wider than the difference of 0.02
    assert board.separable[0].hidden_set_required is False
    assert [row.group for row in board.rows] == ["a", "b"]


def test_another_team_changes_no_interval() -> None:
    alone = rows(table(team("one", 0.5), team("two", 0.6)))
    crowd = rows(table(team("one", 0.5), team("two", 0.6), team("evil", 0.9), team("late", 0.8, late=True)))
    assert alone["one"].ci == crowd["one"].ci
    assert alone["two"].ci == crowd["two"].ci


def test_late_rows_have_an_interval_and_no_rank() -> None:
    board = table(team("one", 0.5), team("late", 0.8, late=True), team("base", 0.2, baseline=True))
    late, base = rows(board)["late"], rows(board)["base"]
    assert late.ci is not None and (late.rank_low, late.rank_high, late.group) == (None, None, None)
    assert (base.rank_low, base.rank_high) == (2, 2)
    assert [(pair.above, pair.below) for pair in board.separable] == [("one", "base")]


def test_without_items_intervals_are_absent() -> None:
    one, two = team("one", 0.5), team("two", 0.6)
    board = leaderboard([one[0], two[0]], CHALLENGE, "track1")
    assert (board.bootstrap, board.separable) == (None, ())
    assert {(row.ci, row.rank_low, row.group) for row in board.rows} == {(None, None, None)}
    partly = leaderboard([one[0], two[0]], CHALLENGE, "track1", items={"one": one[1]})
    found = rows(partly)
    assert found["one"].ci is not None and found["two"].ci is None
    assert found["one"].rank_low is found["one"].group is None
    assert partly.bootstrap is not None and partly.bootstrap.without_items == ("two",)


def test_one_dialogue_a_stratum_says_nothing_and_a_spec_can_leave_it_out() -> None:
    assert table(team("one", 0.5, n=1), team("two", 0.9, n=1)).bootstrap is None
    assert table(team("one", 0.5), challenge=replace(CHALLENGE, uncertainty=None)).bootstrap is None


def test_items_that_contradict_the_report_are_refused() -> None:
    found, scores = team("one", 0.5)
    key = CELLS[0][0], CELLS[0][1], CELLS[0][2], False
    for change in ({"d000": None}, {"d000": (scores[key]["d000"] or 0) + 1}):
        bad = {**scores, key: {**scores[key], **change}}
        with pytest.raises(MachineError) as caught:
            table((found, bad))
        assert caught.value.code == "E_SCORE"


def test_items_that_do_not_count_leave_the_denominator() -> None:
    """Policy published: a dialogue without a score is in nobody's mean, whatever is drawn."""
    _, scores = team("one", 0.5)
    holed: Scores = {
        key: {d: (None if i % 3 == place % 3 else s) for i, (d, s) in enumerate(cell.items())}
        for place, (key, cell) in enumerate(scores.items())
    }
    flat: Scores = {key: {d: None if s is None else 3 for d, s in cell.items()} for key, cell in holed.items()}
    board = table((report_of("one", holed), holed), (report_of("flat", flat), flat))
    assert rows(board)["flat"].ci["final"] == (3.0, 3.0)
    low, high = rows(board)["one"].ci["final"]
    assert low < rows(board)["one"].final < high


def test_missing_weight_is_scaled_in_every_draw() -> None:
    judged = {key: dict.fromkeys(cell, 3) for key, cell in team("one", 0.5)[1].items() if "vocal" not in key[2]}
    row = table((report_of("one", judged), judged)).rows[0]
    assert row.final == 3 and row.missing_weight and row.ci is not None
    assert row.ci["final"] == (3.0, 3.0)
    assert "zh.task4.vocal_empathy_congruence" not in row.ci


def test_marks_of_zero_and_below_count() -> None:
    spec = load_challenge("tests/data/invented.toml")
    entries, items = [], {}
    for place, (language, task, dimension) in enumerate(cell_weights(spec, spec.tracks["pour"])):
        cell: dict[str, Any] = {f"d{i}": spec.tasks[task].scale[(i * place) % 2] for i in range(12)}
        items[language, task, dimension, False] = cell
        entries.append((language, task, dimension))
    found = replace(
        report_of("one", items), track="pour", challenge=replace(report("x").challenge, id=spec.id, digest=spec.digest)
    )
    row = leaderboard([found], spec, "pour", items={"one": items}).rows[0]
    assert row.ci is not None and row.final is not None
    assert row.ci["final"][0] <= row.final <= row.ci["final"][1]
    assert row.ci["final"][0] < row.ci["final"][1]


@settings(deadline=None, max_examples=15)
@given(st.permutations(["one", "two", "three", "four"]))
def test_the_order_of_the_inputs_changes_no_byte(order: list[str]) -> None:
    spec = replace(CHALLENGE, uncertainty=Uncertainty(100, Fraction(9, 10), Fraction(1, 10)))
    wanted = table(*(team(name, 0.5, 5) for name in ("one", "two", "three", "four")), challenge=spec)
    found = table(*(team(name, 0.5, 5) for name in order), challenge=spec)
    assert canonical_json(leaderboard_plain(found)) == canonical_json(leaderboard_plain(wanted))


def test_finals_of_the_draws_are_those_of_the_drawn_dialogues() -> None:
    """Against a slow reading of the definition, in fractions: draw, take the means, weight them."""
    found, scores = team("one", 0.5, 6)
    spec = replace(CHALLENGE, uncertainty=Uncertainty(100, Fraction(9, 10), Fraction(1, 10)))
    board = table((found, scores), challenge=spec)
    assert board.bootstrap is not None
    parts = strata(PLACERS["dialogue"]([found], spec, TRACK, "auto"), {"one": scores}, spec, TRACK, "auto")
    weights = cell_weights(spec, TRACK)
    finals = []
    draws = {(part.language, part.task): (part, next(drawn(part, board.bootstrap.seed, [100]))) for part in parts}
    for draw in range(100):
        final = Fraction(0)
        for cell, weight in weights.items():
            part, counts = draws[cell[0], cell[1]]
            marks = scores[*cell, False]
            total = sum(int(counts[i, draw]) * (marks[d] or 0) for i, d in enumerate(part.dialogues))
            final += weight * Fraction(total) / 6
        finals.append(final)
    finals.sort()
    assert board.rows[0].ci is not None
    assert board.rows[0].ci["final"] == (round(float(finals[5]), 6), round(float(finals[94]), 6))


def test_every_draw_has_as_many_dialogues_as_there_are() -> None:
    found, scores = team("one", 0.5, 7)
    part = strata(PLACERS["dialogue"]([found], CHALLENGE, TRACK, "auto"), {"one": scores}, CHALLENGE, TRACK, "auto")[0]
    counts = next(drawn(part, "seed", [500]))
    assert counts.shape == (7, 500)
    assert set(counts.sum(axis=0).tolist()) == {7}
    assert abs(counts.mean() - 1) < 1e-9 and 0.8 < counts.var() < 0.95  # multinomial: 1 - 1/7
    assert np.array_equal(counts, next(drawn(part, "seed", [500])))
    assert not np.array_equal(counts, next(drawn(part, "another", [500])))


def test_the_bits_behind_the_draws_never_change() -> None:
    """numpy keeps the raw stream of PCG64; if that ever broke, stored tables could not be verified."""
    assert np.random.PCG64(7).random_raw(2).tolist() == [11530976094092348043, 16550673365885938325]


def test_groups_break_only_where_all_above_beat_all_below() -> None:
    rules = Uncertainty(100, Fraction(19, 20), Fraction(1, 20))
    base = np.arange(100)
    noise = np.where(base % 2 == 0, 5, -5)
    matrix = np.array([base + 100, base + 98 + noise, base + 96, base])
    assert _groups(["a1", "a2", "a3", "b1"], matrix, rules) == {"a1": "a", "a2": "a", "a3": "a", "b1": "b"}
    assert [_letter(n) for n in (0, 25, 26, 27, 701, 702)] == ["a", "z", "aa", "ab", "zz", "aaa"]


def test_raters_scores_are_taken_in_phase_final() -> None:
    found, scores = team("one", 0.5, 10)
    human: Scores = {
        (lang, task, name, True): {f"d{i:03}": Fraction(10 + i, 3) if i < 5 else Fraction(4) for i in range(10)}
        for lang, task, name in CELLS
        if f"{task}.{name}" in TRACK.human["final"]
    }
    both = report_of("one", {**scores, **human})
    row = table((both, {**scores, **human}), phase="final").rows[0]
    assert row.ci is not None
    low, high = row.ci["zh.task4.vocal_empathy_congruence"]
    assert 10 / 3 <= low < high <= 14 / 3
    assert found.team == row.team
