"""Human ratings: what is refused, means of an item's raters, floors for what cannot be heard, agreement, outliers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from cohort import CHALLENGE, HUMAN, OFFICIAL, TRACK, report
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.documents.ratings import Rating, parse_ratings, ratings_csv
from harness.ranking.agreement import agreement, disagreement
from harness.ranking.ratings import Known, accept, coverage, with_ratings
from harness.ranking.table import leaderboard

VOICE, CLEAN = HUMAN
HEADER = "team,language,dialogue_id,rater_id,dimension,score\n"
KNOWN = Known(frozenset({"alpha", "beta"}), {(lang, "task4"): frozenset({"d1", "d2", "d3"}) for lang in ("zh", "en")})


def checked(text: str | bytes, known: Known = KNOWN) -> tuple[list[Rating], list[str]]:
    lines, findings = parse_ratings(text.encode() if isinstance(text, str) else text, "r.csv")
    ratings, problems = accept(lines, known, CHALLENGE, TRACK)
    return ratings, [f"{f.code}:{f.line}" for f in [*findings, *problems]]


def rating(team: str = "alpha", dialogue: str = "d1", rater: str = "r1", score: int = 4, **more: Any) -> Rating:
    return Rating(team, more.get("language", "zh"), dialogue, rater, more.get("dimension", VOICE), score)


GOOD = "alpha,zh,d1,r1,vocal_empathy_congruence,4\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("gamma,zh,d1,r1,vocal_empathy_congruence,4", "E_RATING_TEAM"),
        ("Alpha,zh,d1,r1,vocal_empathy_congruence,4", "E_RATING_TEAM"),
        ("alpha,zh,d9,r1,vocal_empathy_congruence,4", "E_RATING_ITEM"),
        ("alpha,fr,d1,r1,vocal_empathy_congruence,4", "E_RATING_ITEM"),
        ("alpha,zh,d1,,vocal_empathy_congruence,4", "E_RATING_RATER"),
        ("alpha,zh,d1,=cmd|x,vocal_empathy_congruence,4", "E_RATING_RATER"),
        ("alpha,zh,d1,r1,textual_empathy_insight,4", "E_RATING_DIMENSION"),
        ("alpha,zh,d1,r1,voice,4", "E_RATING_DIMENSION"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,0", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,6", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,4.0", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence, 4", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,４", "E_RATING_SCALE"),
        ("alpha,zh,d1,r1,vocal_empathy_congruence,5", "E_RATING_DUP"),
        ("alpha,zh,d1,r1,task4.vocal_empathy_congruence,4", "E_RATING_DUP"),
    ],
)
def test_a_wrong_line_is_named_with_its_place_and_the_others_stand(line: str, code: str) -> None:
    ratings, codes = checked(HEADER + GOOD + line + "\n" + GOOD.replace("d1", "d2"))
    assert codes == [f"{code}:3"]
    assert [found.dialogue_id for found in ratings] == ["d1", "d2"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"team;language;dialogue_id;rater_id;dimension;score\n",
        HEADER.replace("score", "mark").encode(),
        HEADER.replace("score", "score,note").encode(),
        (HEADER + GOOD).encode("utf-16"),
        (HEADER + "alpha,zh,d1\n").encode(),
        (HEADER + 'alpha,"zh,d1\n').encode(),
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_file_of_ratings_is_refused(data: bytes) -> None:
    ratings, codes = checked(data)
    assert ratings == [] and [code.split(":")[0] for code in codes] == ["E_RATING_FILE"]


def test_columns_in_any_order_and_a_spreadsheets_mark_are_read() -> None:
    text = "score,team,language,dialogue_id,rater_id,dimension\r\n4,alpha,zh,d1,r1,vocal_empathy_congruence\r\n"
    assert checked("\ufeff" + text) == ([rating()], [])


def test_what_nobody_said_is_not_checked() -> None:
    assert checked(HEADER + GOOD.replace("alpha", "whoever"), Known())[1] == []


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.builds(
            rating,
            st.sampled_from(["alpha", "beta"]),
            st.sampled_from(["d1", "d2", "d3"]),
            st.sampled_from(["r1", "r2"]),
            st.integers(1, 5),
        ),
        unique_by=lambda r: (r.team, r.dialogue_id, r.rater_id),
    )
)
def test_what_is_written_is_read_back(ratings: list[Rating]) -> None:
    found, codes = checked(ratings_csv(ratings))
    assert codes == [] and sorted(found, key=repr) == sorted(ratings, key=repr)
    assert ratings_csv(reversed(ratings)) == ratings_csv(ratings)


def entries(found: Any, language: str = "zh") -> dict[str, Any]:
    return {f"{e.task}.{e.dimension}": e for e in found.dimensions if e.source == "human" and e.language == language}


def test_a_mean_is_over_an_items_raters_and_then_over_items() -> None:
    ratings = [
        rating(score=5),
        rating(rater="r2", score=5),
        rating(rater="r3", score=4),
        rating(dialogue="d2", score=2),
    ]
    found, scores = with_ratings(report("alpha"), ratings, None, CHALLENGE, TRACK)
    entry = entries(found)[VOICE]
    assert Fraction(entry.sum) / entry.n == (Fraction(14, 3) + 2) / 2
    assert (entry.n, entry.counts) == (2, {"scored": 2})
    assert scores["zh", "task4", "vocal_empathy_congruence", True]["d1"] == Fraction(14, 3)
    assert entries(found)[CLEAN].mean is None


def test_what_cannot_be_heard_keeps_the_floor_and_what_was_not_rated_leaves_the_mean() -> None:
    states = {"d1": "not_judged", "d2": "silent", "d3": "excluded", "d4": "not_judged", "d5": "scored"}
    own = {("zh", "task4", "vocal_empathy_congruence"): states}
    ratings = [rating(), rating(dialogue="d2", score=5), rating(dialogue="d5", score=3)]
    entry = entries(with_ratings(report("alpha"), ratings, own, CHALLENGE, TRACK)[0])[VOICE]
    assert entry.counts == {"scored": 2, "silent": 1, "not_rated": 1, "excluded": 1}
    assert (entry.sum, entry.n) == (4 + 1 + 3, 3)
    lenient = with_ratings(report("alpha", policy="published"), ratings, own, CHALLENGE, TRACK)[0]
    assert (entries(lenient)[VOICE].sum, entries(lenient)[VOICE].n) == (7, 2)
    only_floors = with_ratings(report("alpha"), [], own, CHALLENGE, TRACK)[0]
    assert entries(only_floors)[VOICE].mean is None


def test_ratings_make_the_final_phase() -> None:
    bare = [
        report(team, dimensions=tuple(e for e in report(team).dimensions if e.source == "judge"))
        for team in ("alpha", "beta")
    ]
    ratings = [
        rating("alpha", language=language, dimension=dimension, score=5)
        for language in ("zh", "en")
        for dimension in HUMAN
    ]
    reports = [
        with_ratings(each, [r for r in ratings if r.team == each.team], None, CHALLENGE, TRACK)[0] for each in bare
    ]
    board = leaderboard(reports, CHALLENGE, "track1", "final")
    assert [(row.rank, row.team) for row in board.rows] == [(1, "alpha"), (None, "beta")]
    assert board.rows[0].final == 0.5 * 3 + 0.5 * 5
    assert board.official is False and board.judge == OFFICIAL
    assert leaderboard(reports[:1], CHALLENGE, "track1", "final").official is True


def test_coverage_names_teams_items_and_impossible_ratings() -> None:
    own = {("zh", "task4", "vocal_empathy_congruence"): {"d1": "not_judged", "d2": "missing", "d3": "scored"}}
    found = coverage([rating(), rating(dialogue="d2")], ["alpha", "beta"], {"alpha": own}, CHALLENGE, TRACK)
    assert [(f.code, f.message) for f in found] == [
        ("W_RATING_PARTIAL", "alpha: 1 of 2 items of zh task4.vocal_empathy_congruence have no rating"),
        (
            "W_RATING_FAULT",
            "alpha zh d2 was rated, but its audio is missing: it keeps what the policy gives to such items",
        ),
        ("W_RATING_TEAM", "beta has no ratings"),
    ]


def test_alpha_of_the_textbook() -> None:
    """Krippendorff's own example of four observers and twelve units; its ordinal alpha is 0.815."""
    nan = None
    data = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
    ratings = [
        rating(dialogue=f"d{unit}", rater=f"r{observer}", score=mark)
        for observer, row in enumerate(data)
        for unit, mark in enumerate(row)
        if mark is not None
    ]
    (found,) = agreement(ratings, CHALLENGE)
    assert found.alpha == pytest.approx(0.815, abs=0.0006)
    assert (found.items, found.raters, found.ratings) == (11, 4, 41)


def test_alpha_is_absent_where_it_says_nothing() -> None:
    single = agreement([rating(), rating(dialogue="d2", rater="r2")], CHALLENGE)
    assert (single[0].alpha, single[0].items) == (None, 0)
    assert agreement([rating(), rating(rater="r2")], CHALLENGE)[0].alpha is None
    apart = agreement([rating(score=1), rating(rater="r2", score=5)], CHALLENGE)[0].alpha
    assert apart is not None and apart <= 0


def judged(mark: int) -> Any:
    return {("zh", "task4", "vocal_empathy_congruence", False): {"d1": mark, "d2": mark, "d3": None}}


def test_a_team_that_pleases_the_judge_alone_is_an_outlier() -> None:
    teams = ["aaa", "bbb", "ccc", "ddd", "eee"]
    ratings = [rating(team, dialogue, score=3) for team in teams for dialogue in ("d1", "d2", "d3")]
    rows, findings = disagreement(ratings, {team: judged(5 if team == "eee" else 3) for team in teams})
    assert [(row.team, row.n, row.difference, row.absolute, row.outlier) for row in rows] == [
        *((team, 2, 0.0, 0.0, False) for team in teams[:4]),
        ("eee", 2, 2.0, 2.0, True),
    ]
    assert [found.code for found in findings] == ["F_RATING_OUTLIER"]


def test_a_judge_that_is_too_kind_to_all_makes_no_outlier_and_three_teams_are_too_few() -> None:
    teams = ["aaa", "bbb", "ccc", "ddd"]
    ratings = [rating(team, dialogue, score=3) for team in teams for dialogue in ("d1", "d2")]
    assert not disagreement(ratings, dict.fromkeys(teams, judged(5)))[1]
    assert not disagreement(ratings[:6], {"aaa": judged(5), "bbb": judged(3), "ccc": judged(3)})[1]
    assert disagreement(ratings, {})[0] == ()
