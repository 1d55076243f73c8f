"""`humdial ratings` and `leaderboard --ratings` from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cohort import CHALLENGE, HUMAN, OFFICIAL, team
from command import humdial

from harness.documents.codec import jsonl, to_plain
from harness.resources import schema_path

INVENTED = Path(__file__).resolve().parents[1] / "data" / "invented.toml"
DIALOGUES = [f"d{number:03}" for number in range(4)]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    for name, quality in (("alpha", 0.9), ("beta", 0.3)):
        found, marks = team(name, quality, len(DIALOGUES))
        folder = tmp_path / "scores" / name
        folder.mkdir(parents=True)
        plain = {**to_plain(found), "items": "items.jsonl", "judge": to_plain(OFFICIAL)}
        (folder / "report.json").write_text(json.dumps(plain), "utf-8")
        rows = [
            {
                "task": t,
                "language": lang,
                "dialogue_id": d,
                "turn_id": 1,
                "dimension": dim,
                "score": score,
                "state": "scored",
                "flags": [],
            }
            for (lang, t, dim, _), cell in marks.items()
            for d, score in cell.items()
        ]
        (folder / "items.jsonl").write_bytes(jsonl(rows))
    return tmp_path / "scores"


def write(path: Path, teams: dict[str, int], raters: tuple[str, ...] = ("r1", "r2"), **more: Any) -> Path:
    lines = ["team,language,dialogue_id,rater_id,dimension,score"]
    lines += [
        f"{name},{language},{dialogue},{rater},{dimension.partition('.')[2]},{mark}"
        for name, mark in teams.items()
        for language in CHALLENGE.languages
        for dialogue in DIALOGUES
        for rater in raters
        for dimension in HUMAN
    ]
    path.write_text("\n".join([*lines, *more.get("extra", ())]) + "\n", "utf-8")
    return path


def test_phase_final_with_ratings_is_official(tmp_path: Path, scores: Path) -> None:
    ratings = write(tmp_path / "r.csv", {"alpha": 2, "beta": 5})
    board = json.loads(humdial("leaderboard", scores, "--ratings", ratings, "--phase", "final", "-f", "json").stdout)
    assert board["official"] is True
    assert {row["team"]: row["columns"]["zh.task4.vocal_empathy_congruence"] for row in board["rows"]} == {
        "alpha": 2.0,
        "beta": 5.0,
    }
    assert all(row["ci"]["zh.task4.audio_quality_naturalness"][0] in (2.0, 5.0) for row in board["rows"])
    without = json.loads(humdial("leaderboard", scores, "--phase", "final", "-f", "json").stdout)
    assert [(row["rank"], row["final"]) for row in without["rows"]] == [(None, None)] * 2
    assert "phase final" in humdial("leaderboard", scores, "--ratings", ratings, code=2).stderr


def test_a_team_that_was_not_rated_is_listed_below_and_named(tmp_path: Path, scores: Path) -> None:
    ratings = write(tmp_path / "r.csv", {"alpha": 4})
    done = humdial("leaderboard", scores, "--ratings", ratings, "--phase", "final", "-f", "json")
    rows = {row["team"]: row for row in json.loads(done.stdout)["rows"]}
    assert (rows["alpha"]["rank"], rows["beta"]["rank"], rows["beta"]["final"]) == (1, None, None)
    assert "vocal_empathy_congruence" in rows["beta"]["notes"][0]
    assert "W_RATING_TEAM: beta has no ratings" in done.stderr.replace("warning ", "")


def test_wrong_ratings_make_no_table(tmp_path: Path, scores: Path) -> None:
    bad = write(tmp_path / "r.csv", {"alpha": 4, "beta": 3}, extra=["gamma,zh,d000,r1,vocal_empathy_congruence,4"])
    done = humdial("leaderboard", scores, "--ratings", bad, "--phase", "final", code=2)
    assert "E_RATING_TEAM" in done.stderr and "gamma" in done.stderr and done.stdout == ""


def test_check_says_everything_and_keeps_its_schema(tmp_path: Path, scores: Path) -> None:
    extra = ["beta,zh,nope,r1,vocal_empathy_congruence,4", "beta,zh,d000,r1,vocal_empathy_congruence,9"]
    ratings = write(tmp_path / "r.csv", {"alpha": 4}, extra=extra)
    done = humdial("ratings", "check", ratings, "--scores", scores, "-f", "json", code=1)
    plain = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(schema_path("ratings-report").read_text("utf-8"))).validate(plain)
    assert sorted(found["code"] for found in plain["findings"]) == [
        "E_RATING_ITEM",
        "E_RATING_SCALE",
        "W_RATING_TEAM",
    ]
    assert (plain["valid"], plain["ratings"], plain["raters"], plain["teams"]) == (False, 32, 2, 1)
    assert [row["team"] for row in plain["disagreement"]] == ["alpha"]
    text = humdial("ratings", "check", ratings, "--scores", scores, code=1).stdout
    assert "r.csv:35: error E_RATING_SCALE: '9' is no mark of the scale 1, 2, 3, 4, 5" in text
    assert "no alpha over 4 items" in text and text.rstrip().endswith("2 raters")
    assert (
        "r.csv:34: error E_RATING_ITEM"
        in humdial("ratings", "check", ratings, "--scores", scores, "-f", "concise", code=1).stdout
    )


def test_import_puts_raters_together_and_writes_nothing_when_one_is_wrong(tmp_path: Path, scores: Path) -> None:
    one = write(tmp_path / "one.csv", {"beta": 3, "alpha": 4}, ("r1",))
    two = write(tmp_path / "two.csv", {"alpha": 5, "beta": 2}, ("r2",))
    out = tmp_path / "all.csv"
    humdial("ratings", "import", one, two, "--scores", scores, "-o", out)
    assert out.read_text("utf-8").splitlines()[:3] == [
        "team,language,dialogue_id,rater_id,dimension,score",
        "alpha,en,d000,r1,audio_quality_naturalness,4",
        "alpha,en,d000,r2,audio_quality_naturalness,5",
    ]
    assert humdial("ratings", "import", two, one, "--scores", scores).stdout == out.read_text("utf-8")
    humdial("leaderboard", scores, "--ratings", out, "--phase", "final")
    again = tmp_path / "twice.csv"
    done = humdial("ratings", "import", one, one, "-o", again, code=1)
    assert "E_RATING_DUP" in done.stderr and not again.exists()


def test_a_challenge_without_raters_says_so(tmp_path: Path) -> None:
    ratings = write(tmp_path / "r.csv", {"alpha": 4})
    done = humdial("ratings", "check", ratings, "--challenge", INVENTED, code=2)
    assert "E_USAGE" in done.stderr


def test_blinded_exports_need_their_key(tmp_path: Path, scores: Path) -> None:
    item = {"team": "alpha", "language": "zh", "dialogue_id": "d001"}
    plain = {"schema_version": 1, "track": "track1", "seed": "s", "items": {"k3x9q0aaaaaa": item}}
    jsonschema.Draft202012Validator(json.loads(schema_path("rating-key").read_text("utf-8"))).validate(plain)
    key = tmp_path / "key.json"
    key.write_text(json.dumps(plain), "utf-8")
    header = "team,language,dialogue_id,rater_id,dimension,score\n"
    export = tmp_path / "export.csv"
    export.write_text(header + "k3x9q0aaaaaa,zh,k3x9q0aaaaaa,r1,vocal_empathy_congruence,4\n", "utf-8")
    done = humdial("ratings", "import", export, "--key", key, "--scores", scores)
    assert done.stdout == header + "alpha,zh,d001,r1,vocal_empathy_congruence,4\n"
    assert "E_RATING_TEAM" in humdial("ratings", "import", export, "--scores", scores, code=1).stderr
    export.write_text(header + "zzzzzzzzzzzz,zh,zzzzzzzzzzzz,r1,vocal_empathy_congruence,4\n", "utf-8")
    assert "E_RATING_KEY" in humdial("ratings", "import", export, "--key", key, code=1).stderr
    assert "E_DOCUMENT" in humdial("ratings", "import", export, "--key", export, code=2).stderr
