"""The report's team sections: what became of every item, under any name that a state has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from cohort import CHALLENGE, OFFICIAL, report

from harness.documents.finding import ChallengeRef
from harness.documents.published import Table
from harness.documents.report import ITEM_STATES, ScoreReport
from harness.ranking.table import leaderboard
from harness.reporting.report import render_report


def losses(reports: list[ScoreReport], team: str) -> dict[str, dict[str, str]]:
    """Of one team's section: "zh task2 Added Value" to what its row says under each heading."""
    track = reports[0].track
    page = render_report([Table(leaderboard(reports, CHALLENGE, track))], CHALLENGE, "public").decode()
    section = page[page.index(f'id="{track}-{team}"') :]
    table = re.search(r'<table class="small losses">.*?</table>', section, re.DOTALL)
    assert table is not None
    heads = re.findall(r"<th[^>]*>(.*?)</th>", table[0])
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table[0])[1:]]
    return {" ".join(row[:3]): dict(zip(heads, row, strict=True)) for row in rows}


def test_every_state_of_an_item_has_its_column_and_its_count() -> None:
    counts: Any = {state: number for number, state in enumerate(ITEM_STATES, start=1)}
    del counts["not_judged"]  # it would leave the dimension without a mean
    entry = report("alpha").dimensions[0]
    odd = replace(entry, sum=2 * sum(counts.values()), n=sum(counts.values()), mean=2.0, counts=counts)
    alpha = report("alpha", dimensions=(odd, *report("alpha").dimensions[1:]))
    row = losses([alpha], "alpha")[f"{entry.language} {entry.task} {entry.dimension.replace('_', ' ')}"]
    for state in ITEM_STATES:
        assert row[state.replace("_", " ")] == str(counts.get(state, 0))
    assert row["n"] == str(sum(counts.values()))


def test_outputs_of_a_full_duplex_track_are_counted_by_state() -> None:
    def duplex(team: str, delay: float, **more: Any) -> ScoreReport:
        measures = {
            "interruption": {"zh": 50.0, "en": 50.0},
            "rejection": {"zh": 50.0, "en": 50.0},
            "total_delay_s": delay,
            "zh": {"outputs": {"ok": 90, "missing": 6, "silent": 3, "invalid": 1}},
        }
        return ScoreReport(
            schema_version=1,
            team=team,
            display_name=team,
            system="s",
            track="track2",
            policy="strict",
            challenge=ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
            judge=OFFICIAL,
            dimensions=(),
            measures=measures,
            **more,
        )

    row = losses([duplex("baseline", 2.0, baseline=True), duplex("alpha", 1.0)], "alpha")["zh outputs all"]
    shown = {state: row[state.replace("_", " ")] for state in ("scored", "missing", "silent", "invalid", "echo")}
    assert shown == {"scored": "90", "missing": "6", "silent": "3", "invalid": "1", "echo": "0"}
    assert row["n"] == "100"
