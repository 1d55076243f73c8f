"""`humdial leaderboard` from outside: what it finds under a path, what it refuses and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cohort import team
from command import humdial

from harness.challenge.load import load_challenge
from harness.documents.codec import jsonl, to_plain

CHALLENGE = load_challenge()


def report(team: str, mean: float | None = 3.5, **more: Any) -> dict[str, Any]:
    """A report as somebody would type it in from a published table: only means."""
    dimensions = [
        {"task": t.id, "language": lang, "dimension": d, "mean": mean, "n": 150, "source": "judge"}
        for t in CHALLENGE.tasks_of("track1", ranked_only=True)
        for lang in CHALLENGE.languages
        for d in t.dimension_ids()
    ]
    return {
        "schema_version": 1,
        "team": team,
        "display_name": team,
        "system": "s",
        "track": "track1",
        "policy": "strict",
        "late": False,
        "baseline": False,
        "challenge": {"id": CHALLENGE.id, "digest": CHALLENGE.digest},
        "judge": None,
        "dimensions": dimensions,
        "items": None,
        "complete": True,
        **more,
    }


def put(path: Path, plain: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plain if isinstance(plain, str) else json.dumps(plain), "utf-8")
    return path


def rows(*arguments: object) -> list[tuple[int | None, str, str]]:
    plain = json.loads(humdial("leaderboard", "-f", "json", *arguments).stdout)
    return [(row["rank"], row["team"], "; ".join(row["notes"])) for row in plain["rows"]]


RECORD = {
    "schema_version": 1,
    "image_id": "sha256:0",
    "state": "timed_out",
    "fault": "submission",
    "codes": ["R_TIMEOUT"],
}
INVALID = {
    "schema_version": 1,
    "subject": "/somewhere/Team_B.zip",
    "valid": False,
    "findings": [{"code": "E_JSON_NUM", "severity": "error"}, {"code": "W_X", "severity": "warning"}],
}


def test_a_run_directory_with_every_kind_of_team(tmp_path: Path) -> None:
    teams = tmp_path / "teams"
    put(tmp_path / "run.json", {"pins": {}})
    put(teams / "alpha" / "scores" / "report.json", report("alpha"))
    put(teams / "alpha" / "run.json", {**RECORD, "state": "completed"})
    put(teams / "beta" / "validation.json", INVALID)
    put(teams / "gamma" / "run.json", RECORD)
    put(teams / "delta" / "run.json", {**RECORD, "state": "infrastructure", "fault": "infrastructure", "codes": []})
    put(teams / "eps" / "run.json", {**RECORD, "state": "completed"})
    put(teams / "eps" / "validation.json", {**INVALID, "valid": True, "findings": []})
    assert rows(tmp_path) == [
        (1, "alpha", ""),
        (None, "beta", "invalid submission: 1 error(s) (E_JSON_NUM)"),
        (None, "delta", "run infrastructure; not the team's fault, run again"),
        (None, "eps", "not scored yet"),
        (None, "gamma", "run timed_out (R_TIMEOUT)"),
    ]


def test_files_and_folders_of_one_team(tmp_path: Path) -> None:
    one = put(tmp_path / "a.json", report("alpha", 4))
    put(tmp_path / "out" / "beta" / "report.json", report("beta", 3))
    put(tmp_path / "out" / "gamma" / "score" / "report.json", report("gamma", 2.5))
    put(tmp_path / "out" / "gamma" / "run" / "run.json", {**RECORD, "state": "completed"})
    invalid = put(tmp_path / "b.json", INVALID)
    failed = put(tmp_path / "zeta" / "run.json", RECORD)
    found = rows(one, tmp_path / "out", invalid, failed)
    assert [row[:2] for row in found] == [(1, "alpha"), (2, "beta"), (3, "gamma"), (None, "team-b"), (None, "zeta")]


def test_what_a_team_wrote_is_never_taken_for_a_result(tmp_path: Path) -> None:
    put(tmp_path / "evil" / "run.json", RECORD)
    put(tmp_path / "evil" / "submission" / "report.json", report("evil", 5))
    put(tmp_path / "evil" / "submission" / "deep" / "report.json", report("evil", 5))
    put(tmp_path / "good" / "report.json", report("good", 2))
    (tmp_path / "evil" / "link").symlink_to(tmp_path / "evil" / "submission")
    assert [row[:2] for row in rows(tmp_path)] == [(1, "good"), (None, "evil")]


def test_output_goes_to_a_file_and_is_the_same_on_every_run(tmp_path: Path) -> None:
    for name, mean in (("alpha", 3.5), ("beta", 3.25)):
        put(tmp_path / "in" / name / "report.json", report(name, mean))
    first = humdial("leaderboard", tmp_path / "in", "-o", tmp_path / "t.txt")
    assert first.stdout == ""
    again = humdial("leaderboard", tmp_path / "in" / "beta", tmp_path / "in" / "alpha")
    assert again.stdout == (tmp_path / "t.txt").read_text("utf-8")
    assert "3.50" in again.stdout


def test_late_teams_can_be_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a" / "report.json", report("alpha", 3))
    put(tmp_path / "b" / "report.json", report("beta", 4, late=True))
    assert [row[:2] for row in rows(tmp_path)] == [(None, "beta"), (1, "alpha")]
    assert [row[:2] for row in rows(tmp_path, "--exclude-late")] == [(1, "alpha")]


@pytest.mark.parametrize(
    ("bad", "exit_code", "word"),
    [
        ('"mean": NaN', 3, "E_SCORE"),
        ('"mean": -Infinity', 3, "E_SCORE"),
        ('"mean": 1e999', 3, "E_SCORE"),
        ('"mean": true', 3, "E_SCORE"),
        ('"mean": "3"', 3, "E_SCORE"),
        ('"mean": 3.5, "sum": true', 3, "E_SCORE"),
        ('"mean": 3.5, "sum": NaN', 3, "E_SCORE"),
        ('"mean": 7', 3, "E_SCORE"),
        ('"mean": 3.5, "mean": 4.5', 2, "E_DOCUMENT"),
        ('"mean": 3.5, "extra": 1', 2, "E_DOCUMENT"),
        ('"mean": 3.5, "sum": "1/0"', 2, "E_DOCUMENT"),
        ('"mean": 3.5,', 2, "E_DOCUMENT"),
    ],
)
def test_a_broken_report_is_refused(tmp_path: Path, bad: str, exit_code: int, word: str) -> None:
    text = json.dumps(report("alpha")).replace('"mean": 3.5', bad, 1)
    done = humdial("leaderboard", put(tmp_path / "report.json", text), code=exit_code)
    assert word in done.stderr
    assert done.stdout == ""


def test_half_a_surrogate_pair_and_bad_ids_are_refused(tmp_path: Path) -> None:
    for name, change in (("a", {"display_name": "\ud800"}), ("b", {"team": "../x"}), ("c", {"team": "ALPHA"})):
        path = put(tmp_path / f"{name}.json", {**report("alpha"), **change})
        assert "E_DOCUMENT" in humdial("leaderboard", path, code=2).stderr


def test_mixtures_and_twins_are_refused(tmp_path: Path) -> None:
    alpha = put(tmp_path / "a.json", report("alpha"))
    published = put(tmp_path / "b.json", report("beta", policy="published"))
    other = put(tmp_path / "c.json", report("gamma", challenge={"id": CHALLENGE.id, "digest": "sha256:0"}))
    assert "E_MIXED" in humdial("leaderboard", alpha, published, code=2).stderr
    assert "E_MIXED" in humdial("leaderboard", other, code=2).stderr
    assert "E_TEAM_DUP" in humdial("leaderboard", alpha, alpha, code=2).stderr


def test_nothing_to_tabulate(tmp_path: Path) -> None:
    assert "E_USAGE" in humdial("leaderboard", tmp_path, code=2).stderr
    failed = put(tmp_path / "zeta" / "run.json", RECORD)
    assert "nothing to tabulate" in humdial("leaderboard", failed, code=2).stderr
    assert "E_DOCUMENT" in humdial("leaderboard", put(tmp_path / "x.json", "[" * 100_000), code=2).stderr


def test_the_published_final_of_a_real_team_comes_out(tmp_path: Path) -> None:
    """A hidden-digit tie of the published table: the raw means decide, and a half goes up."""
    plain = report("tie", None)
    means = {"zh": 2.825, "en": 2.825}
    for entry in plain["dimensions"]:
        entry["mean"] = means[entry["language"]]
    board = json.loads(humdial("leaderboard", "-f", "json", put(tmp_path / "r.json", plain)).stdout)
    assert board["rows"][0]["display"]["final"] == "2.83"


def with_items(folder: Path, name: str, quality: float) -> Path:
    found, scores = team(name, quality, 5)
    put(folder / name / "report.json", {**to_plain(found), "items": "items.jsonl"})
    rows = [
        {
            "task": t,
            "language": lang,
            "dialogue_id": d,
            "turn_id": 1,
            "dimension": name,
            "score": score,
            "state": "scored",
            "flags": [],
        }
        for (lang, t, name, _), cell in scores.items()
        for d, score in cell.items()
    ]
    (folder / name / "items.jsonl").write_bytes(jsonl(rows))
    return folder / name


def test_items_beside_the_reports_give_intervals(tmp_path: Path) -> None:
    for name, quality in (("alpha", 0.9), ("beta", 0.2)):
        with_items(tmp_path, name, quality)
    text = humdial("leaderboard", tmp_path, "-f", "json").stdout
    plain = json.loads(text)
    assert [(row["rank_low"], row["rank_high"], row["group"]) for row in plain["rows"]] == [(1, 1, "a"), (2, 2, "b")]
    assert plain["rows"][0]["ci"]["final"][0] < plain["rows"][0]["final"] < plain["rows"][0]["ci"]["final"][1]
    assert plain["separable"] == [
        {"above": "alpha", "below": "beta", "p": plain["separable"][0]["p"], "hidden_set_required": False}
    ]
    assert (
        humdial("leaderboard", tmp_path, "-f", "json").stdout == humdial("leaderboard", tmp_path, "-f", "json").stdout
    )
    without = json.loads(humdial("leaderboard", tmp_path, "-f", "json", "--no-intervals").stdout)
    assert without["bootstrap"] is None and without["rows"][0]["ci"] is None
    (tmp_path / "beta" / "items.jsonl").unlink()
    partly = json.loads(humdial("leaderboard", tmp_path, "-f", "json").stdout)
    assert [row["ci"] is None for row in partly["rows"]] == [False, True]
    assert partly["bootstrap"]["without_items"] == ["beta"]


def test_items_that_contradict_their_report_are_refused(tmp_path: Path) -> None:
    folder = with_items(tmp_path, "alpha", 0.5)
    lines = (folder / "items.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "items.jsonl").write_text("".join(lines[1:]), "utf-8")
    assert "E_SCORE" in humdial("leaderboard", tmp_path, code=3).stderr
