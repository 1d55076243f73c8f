"""Track 2 totals by the cases with known answers, and the table of Track 2."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from harness.challenge.load import load_challenge
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import Leaderboard, leaderboard_plain
from harness.documents.report import JudgeRef, ScoreReport
from harness.errors import MachineError, UsageError
from harness.ranking import leaderboard
from harness.ranking.duplex import cohort_of, delay_score
from harness.reporting.leaderboard import render

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
CHALLENGE = load_challenge()
RULES = CHALLENGE.duplex
assert RULES is not None


def report(team: str, measures: dict[str, Any], **options: Any) -> ScoreReport:
    return ScoreReport(
        schema_version=1,
        team=team,
        display_name=team,
        system=f"{team}-1",
        track="track2",
        policy="published",
        challenge=ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
        judge=JudgeRef("small", "sha256:1", official=False),
        dimensions=(),
        measures=measures,
        **options,
    )


def typed_in(row: dict[str, str], **options: Any) -> ScoreReport:
    """A report with sub-totals only, as somebody types them in from a published table."""
    number = {key: float(Decimal(value)) for key, value in row.items() if key != "team"}
    measures = {
        "interruption": {"zh": number["int_cn"], "en": number["int_en"]},
        "rejection": {"zh": number["rej_cn"], "en": number["rej_en"]},
        "total_delay_s": number["delay"],
    }
    return report(f"team-{row['team']}", measures, **options)


def board(reports: list[ScoreReport], **options: Any) -> Leaderboard:
    return leaderboard(reports, CHALLENGE, "track2", **options)


def test_totals() -> None:
    cases = json.loads((VECTORS / "track2_total.json").read_text("utf-8"))["cases"]
    assert len(cases) == 50
    undefined = 0
    for case in cases:
        baseline = case["in"]["baseline"]
        reports = [typed_in(row, baseline=row["team"] == baseline) for row in case["in"]["teams"]]
        if case["out"]["ok"][0]["total"] is None:
            undefined += 1
            with pytest.raises(UsageError) as caught:
                board(reports)
            assert caught.value.code == "E_COHORT"
            assert "faster than the baseline" in str(caught.value)
            continue
        rows = {row.team: row for row in board(reports).rows}
        for wanted in case["out"]["ok"]:
            shown = rows[f"team-{wanted['team']}"].display
            assert shown["interruption"] == wanted["int"]
            assert shown["rejection"] == wanted["rej"]
            assert shown["delay_score"] == wanted["delay_score"]
            assert shown["final"] == wanted["total"]
    assert undefined == 10


def scenario_measures(values: dict[str, float] | None = None, delay: float = 1.0) -> dict[str, Any]:
    """Every scenario of every language, all alike but for ``values``."""
    groups = {
        group: {name: (values or {}).get(name, 0.5) for name in RULES.scenarios(group)}
        for group in ("interruption", "rejection")
    }
    delays = {
        "stop_latency_s": dict.fromkeys(RULES.scenarios("interruption"), delay),
        "response_latency_s": dict.fromkeys(RULES.scenarios("interruption"), delay),
        "first_response_delay_s": dict.fromkeys(RULES.scenarios(), delay),
    }
    n = {group: dict.fromkeys(found, 4) for group, found in groups.items()}
    return {language: {**groups, **delays, "n": n} for language in CHALLENGE.languages}


def cohort(*others: ScoreReport) -> list[ScoreReport]:
    return [report("baseline", scenario_measures(delay=2.0), baseline=True), *others]


def test_from_scenarios_to_the_total() -> None:
    found = board(cohort(report("alpha", scenario_measures({"pause": 1.0}))))
    alpha, baseline = found.rows
    assert alpha.display == {
        "final": "65.0",
        "interruption.zh": "50.0",
        "interruption.en": "50.0",
        "interruption": "50.0",
        "rejection.zh": "62.5",
        "rejection.en": "62.5",
        "rejection": "62.5",
        "total_delay_s": "1.000",
        "delay_score": "100.0",
    }
    assert (alpha.rank, baseline.rank) == (1, 2)
    assert baseline.display["delay_score"] == "60.0"
    assert not found.official
    assert alpha.behind["zh.rejection.pause"].n == 4


def test_naturalness_stands_beside_and_moves_nothing() -> None:
    plain = board(cohort(report("alpha", scenario_measures({"pause": 1.0})))).rows
    told = scenario_measures({"pause": 1.0})
    told["en"]["unranked"] = {"naturalness": {"mean": 1.0, "n": 3}, "dnsmos": {"mean": 2.505, "n": 3}}
    rows = board(cohort(report("alpha", told))).rows
    assert [(row.team, row.final, row.rank) for row in rows] == [(row.team, row.final, row.rank) for row in plain]
    assert (rows[0].display["unranked.naturalness"], rows[0].display["unranked.dnsmos"]) == ("1.00", "2.51")
    assert rows[1].columns["unranked.naturalness"] is None
    assert "unranked.naturalness" not in plain[0].columns


def test_the_table_says_whose_delays_are_of_a_shared_machine() -> None:
    told = {**scenario_measures(), "delays": "shared", "delay_from": "voice", "note": "\x1b[31mnot ours"}
    alone = {**scenario_measures(delay=1.5), "delays": "alone"}
    found = board(cohort(report("alpha", told), report("beta", alone)))
    for format_ in ("table", "markdown"):
        text = render(found, CHALLENGE, format_).decode()
        assert "delays were measured on a shared machine (alpha)" in text
        assert "delays were measured on a machine of its own (beta)" in text
        assert "baseline (baseline)" not in text  # the row is marked already
        assert "onset of voice activity, not from words (alpha)" in text
        assert "not ours" not in text


def test_every_rounding_is_half_up_at_its_place() -> None:
    """38.85 becomes 38.9, and the total is made of rounded parts."""
    measures = {"interruption": {"zh": 38.8, "en": 38.9}, "rejection": {"zh": 33.8, "en": 33.9}, "total_delay_s": 1.0}
    alpha = board(cohort(report("alpha", measures))).rows[1]
    assert (alpha.display["interruption"], alpha.display["rejection"]) == ("38.9", "33.9")
    assert alpha.final == 49.1  # 0.4 * 38.9 + 0.4 * 33.9 + 20 = 49.12


def test_a_silent_system_has_no_total_and_says_why() -> None:
    measures = scenario_measures()
    measures["zh"]["stop_latency_s"] = dict.fromkeys(measures["zh"]["stop_latency_s"])
    measures["en"]["first_response_delay_s"]["pause"] = None
    found = board(cohort(report("alpha", scenario_measures()), report("silent", measures)))
    silent = found.rows[-1]
    assert (silent.team, silent.rank, silent.final) == ("silent", None, None)
    assert silent.columns["total_delay_s"] is None
    assert silent.columns["interruption"] == 50.0
    assert "zh.stop_latency_s.follow_up" in silent.notes[0] and "4 more" in silent.notes[0]


def test_exact_means_decide_a_rounding() -> None:
    """A mean of 1.0005 s minus a hair prints as 1.0005 in a float; the exact sum knows better."""
    measures = scenario_measures(delay=1.0005)
    hair = str(Fraction(10005, 10000) - Fraction(1, 10**30))
    for language in CHALLENGE.languages:
        measures[language]["exact"] = {
            name: dict.fromkeys(measures[language][name], hair)
            for name in ("stop_latency_s", "response_latency_s", "first_response_delay_s")
        }
    assert board(cohort(report("alpha", measures))).rows[0].display["total_delay_s"] == "1.000"
    assert board(cohort(report("alpha", scenario_measures(delay=1.0005)))).rows[0].display["total_delay_s"] == "1.001"


def test_late_systems_do_not_move_the_cohort() -> None:
    late = report("late", scenario_measures(delay=0.1), late=True)
    rows = {row.team: row for row in board(cohort(report("alpha", scenario_measures()), late)).rows}
    assert rows["alpha"].display["delay_score"] == "100.0"
    assert rows["late"].rank is None
    assert rows["late"].final is not None and rows["late"].columns["delay_score"] > 100


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ([report("alpha", scenario_measures())], "none is among the reports"),
        (cohort(report("beta", scenario_measures(), baseline=True)), "2 are among the reports"),
        (cohort(report("alpha", scenario_measures(delay=3.0))), "faster than the baseline"),
        (cohort(report("alpha", scenario_measures(delay=0.0))), "not positive"),
        ([report("base", {}, baseline=True), report("alpha", scenario_measures())], "the baseline lacks"),
    ],
)
def test_where_the_delay_score_is_not_defined(reports: list[ScoreReport], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        board(reports)
    assert caught.value.code == "E_COHORT"
    assert words in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), True, "0.5", [1], 1.5, -0.1])
def test_a_stored_value_that_is_no_share(value: Any) -> None:
    with pytest.raises(MachineError) as caught:
        board(cohort(report("alpha", scenario_measures({"pause": value}))))
    assert caught.value.code == "E_SCORE"


def test_the_slowest_may_fall_below_zero_unless_clamped() -> None:
    between = cohort_of([Fraction(1)], Fraction(2))
    assert delay_score(Fraction(8), between, RULES.totals) == -20
    assert delay_score(Fraction(8), between, replace(RULES.totals, clamp_delay_score=True)) == 0


@pytest.mark.parametrize("format_", ["table", "markdown", "csv", "latex", "json"])
def test_every_format_shows_both_languages_and_the_total(format_: str) -> None:
    text = render(board(cohort(report("alpha", scenario_measures()))), CHALLENGE, format_).decode()
    for figure in ("50.0", "100.0", "60.0"):
        assert figure.removesuffix(".0") in text
    if format_ == "table":
        assert "never official" in text
        assert "NOT OFFICIAL" in text
        for heading in ("interruption", "rejection", "zh", "en", "total_delay_s", "delay_score"):
            assert heading.split("_")[0] in text


def test_json_rows_have_the_contract_keys() -> None:
    plain = leaderboard_plain(board(cohort(report("alpha", scenario_measures()))))
    row = plain["rows"][0]
    assert row["zh"] is None and row["en"] is None
    names = ["interruption.zh", "interruption.en", "interruption", "rejection.zh", "rejection.en", "rejection"]
    assert list(row["columns"]) == [*names, "total_delay_s", "delay_score"]
