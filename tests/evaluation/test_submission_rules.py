"""Which of a team's attempts counts, and what the ledger and the table say of the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, published, team_row
from command import here

from harness.errors import Refused
from harness.evaluation.journal import scan

ON_TIME, LATER, AFTER = "2025-11-20T08:00:00Z", "2025-11-24T08:00:00Z", "2025-11-26T08:00:00Z"
# Name to what was handed in and when. The judge gives paper 5 and other 3.
TEAMS = {
    "early-and-late": [("paper", ON_TIME), ("other", AFTER)],
    "four-valid": [("other", ON_TIME), ("other", LATER), ("other", LATER), ("paper", LATER)],
    "only-late": [("paper", AFTER)],
    "three-faulty": [("nothing.zip", ON_TIME)] * 3 + [("other", LATER), ("paper", LATER)],
    "too-often-faulty": [("nothing.zip", ON_TIME)] * 6 + [("paper", LATER)],
    "two-valid": [("other", ON_TIME), ("paper", LATER)],
    "valid-then-faulty": [("paper", ON_TIME), ("nothing.zip", LATER)],
}


@pytest.fixture(scope="module")
def ruled(bench: Bench) -> Path:
    rows = []
    for name, handed in TEAMS.items():
        attempts = [f'[[team.attempt]]\nsubmission = "{what}"\nsubmitted_at = {when}' for what, when in handed]
        rows.append(team_row(name, *attempts))
    (bench.folder / "rules.toml").write_text("".join(rows), "utf-8")
    out = bench.folder / "ruled"
    code, said = bench.evaluate(out, teams="rules.toml")
    assert code == 0, said
    return out


@pytest.fixture(scope="module")
def ledger(ruled: Path) -> dict[str, list[dict[str, Any]]]:
    """The ledger's entries by team."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in TEAMS}
    for record in scan(ruled / "ledger.jsonl").records:
        found[record.data["team"]].append(record.data)
    return found


@pytest.mark.parametrize(
    ("team", "counts"),
    {
        "early-and-late": 1,  # what comes after the deadline does not replace what came before
        "four-valid": 3,  # three are looked at
        "only-late": 1,
        "three-faulty": 5,  # three faulty ones are free
        "too-often-faulty": None,  # further ones use up attempts: the last was the seventh
        "two-valid": 2,  # the last one
        "valid-then-faulty": 1,  # a faulty one replaces nothing
    }.items(),
)
def test_the_last_valid_attempt_before_the_deadline_counts(
    ledger: dict[str, list[dict[str, Any]]], team: str, counts: int | None
) -> None:
    assert [each["attempt"] for each in ledger[team]] == list(range(1, len(TEAMS[team]) + 1))
    assert [each["attempt"] for each in ledger[team] if each["counts"]] == ([counts] if counts else [])


def test_the_ledger_says_what_became_of_every_attempt(ledger: dict[str, list[dict[str, Any]]]) -> None:
    assert [each["outcome"] for each in ledger["four-valid"]] == ["valid"] * 3 + ["over the limit"]
    assert [each["outcome"] for each in ledger["too-often-faulty"]] == ["faulty"] * 6 + ["over the limit"]
    assert [each["late"] for each in ledger["early-and-late"]] == [False, True]
    assert [each["submitted_at"] for each in ledger["two-valid"]] == [ON_TIME, LATER]
    assert all(each["source"].startswith("sha256:") for each in ledger["two-valid"])


def test_late_rows_are_shown_without_a_rank(ruled: Path) -> None:
    rows = {row["team"]: row for row in json.loads((ruled / "leaderboard.json").read_bytes())["rows"]}
    assert (rows["only-late"]["rank"], rows["only-late"]["late"]) == (None, True)
    assert rows["only-late"]["final"] == 5
    assert {name: rows[name]["rank"] for name in ("early-and-late", "two-valid", "valid-then-faulty")} == dict.fromkeys(
        ("early-and-late", "two-valid", "valid-then-faulty"), 1
    )
    assert rows["four-valid"]["final"] == 3 and not rows["early-and-late"]["late"]
    assert rows["too-often-faulty"]["final"] is None


def test_declarations_and_resources_are_listed(ruled: Path) -> None:
    declared = {each["team"]: each for each in json.loads((ruled / "review.json").read_bytes())["declared"]}
    assert declared.keys() == TEAMS.keys() - {"too-often-faulty"}
    assert declared["two-valid"]["attempt"] == 2
    assert declared["two-valid"]["declarations"]["no_commercial_tts"] is True
    assert [each["name"] for each in declared["two-valid"]["resources"]] == ["espeak-ng"]


def test_what_a_team_handed_in_too_often_disturbs_nobody(bench: Bench, ruled: Path, tmp_path: Path) -> None:
    """What is told of a team without a valid attempt is of the last that was looked at, here and wherever it is made
    again."""
    code, said = here("verify", ruled)
    assert code == 0, said
    code, said = here("rescore", ruled, "--out", tmp_path / "again")
    assert code == 0, said
    for name in ("leaderboard.json", "leaderboard.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (ruled / name).read_bytes()
    copy = Path(shutil.copytree(ruled, tmp_path / "copy"))
    shutil.rmtree(copy / "teams" / "too-often-faulty")
    code, said = bench.evaluate(copy, teams="rules.toml")
    assert code == 0 and published(copy) == published(ruled), said
    (row,) = (row for row in json.loads((copy / "leaderboard.json").read_bytes())["rows"] if "often" in row["team"])
    assert "E_ARC" in json.dumps(row)


def test_a_run_without_any_score_is_not_published(bench: Bench, tmp_path: Path) -> None:
    (bench.folder / "none.toml").write_text(team_row("gamma", 'submission = "nothing.zip"'), "utf-8")
    code, said = bench.evaluate(tmp_path / "run", teams="none.toml")
    assert (code, "no team has a score" in said) == (1, True), said


def test_a_changed_ledger_is_seen(bench: Bench, ruled: Path, tmp_path: Path) -> None:
    """Each line holds the digest of the one before: nothing is taken out, changed or put in between."""
    lines = (ruled / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    changed = lines[3].replace(b'"late":false', b'"late":true ')
    for tampered in ([*lines[:3], *lines[4:]], [*lines[:3], changed, *lines[4:]], [*lines[:3], lines[4], lines[3]]):
        (tmp_path / "ledger.jsonl").write_bytes(b"".join(tampered))
        with pytest.raises(Refused) as caught:
            scan(tmp_path / "ledger.jsonl")
        assert caught.value.code == "I_CORRUPT"
