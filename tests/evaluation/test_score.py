"""From collected outputs to a table, with the real judge in its container."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.validators import Draft202012Validator

from harness.challenge.load import load_challenge
from harness.evaluation.journal import scan
from harness.resources import cache_dir, schema_path
from harness.sandbox import Engine
from harness.sandbox.profile import NONCE_LABEL

pytestmark = [pytest.mark.engine, pytest.mark.judge]
Humdial = Callable[..., subprocess.CompletedProcess[str]]
TEAMS = ("careful", "lazy", "hostile", "paper")


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _items(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]


def _only_task2(source: Path, target: Path) -> Path:
    """What a folder has for task2: two dialogues to judge, where six say no more."""
    for place in ("zh/task2", "en/task2"):
        (target / place).parent.mkdir(parents=True)
        shutil.copy(source / f"{place}.jsonl", target / f"{place}.jsonl")
        if (source / place).is_dir():
            shutil.copytree(source / place, target / place)
    return target


@pytest.fixture(scope="session")
def short_dev(dev: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _only_task2(dev, tmp_path_factory.mktemp("short") / "dev")


@pytest.fixture(scope="session")
def short_paper(paper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = _only_task2(paper, tmp_path_factory.mktemp("short") / "paper")
    for name in ("submission.json", "system_description.pdf"):
        shutil.copy(paper / name, out)
    return out


@pytest.fixture(scope="session")
def paper_scored(dev: Path, paper: Path, humdial: Humdial, judge: object, tmp_path_factory: Any) -> Path:
    """What `humdial score` leaves of the folder submission."""
    out: Path = tmp_path_factory.mktemp("scored") / "paper"
    result = humdial("score", paper, "--references", dev, "--out", out, "--team", "paper")
    assert result.returncode == 0, result.stderr + result.stdout
    return out


@pytest.fixture(scope="session")
def scores(runs: Path, dev: Path, judge: object, humdial: Humdial, tmp_path_factory: Any) -> Path:
    """One `humdial score` folder for each team of the table."""
    out: Path = tmp_path_factory.mktemp("scores")
    for team in ("careful", "lazy"):
        submission = runs / team / "submission"
        arguments = ("--references", dev, "--out", out / team, "--team", team)
        result = humdial("score", submission, *arguments)
        assert result.returncode == 0, result.stderr + result.stdout
    return out


@pytest.fixture(scope="session")
def scored(
    scores: Path, paper_scored: Path, team_images: dict[str, str], short_dev: Path, humdial: Humdial,
    tmp_path_factory: Any,
) -> dict[str, Path]:  # fmt: skip
    """What was scored, by name: the table's teams, of task2 alone the hostile team, and the folder submission."""
    out: Path = tmp_path_factory.mktemp("hostile")
    result = humdial("run", team_images["hostile"], "--inputs", short_dev, "--out", out / "run")
    assert result.returncode == 0, result.stderr
    arguments = ("--references", short_dev, "--out", out / "scored", "--team", "hostile")
    result = humdial("score", out / "run" / "submission", *arguments)
    assert result.returncode == 0, result.stderr + result.stdout
    return {"careful": scores / "careful", "lazy": scores / "lazy", "hostile": out / "scored", "paper": paper_scored}


@pytest.fixture(scope="session")
def board(scores: Path, humdial: Humdial) -> Any:
    result = humdial("leaderboard", scores, "-f", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("team", TEAMS)
def test_reports_follow_their_schema_and_account_for_every_item(
    scored: dict[str, Path], dev: Path, short_dev: Path, team: str
) -> None:
    references = short_dev if team == "hostile" else dev
    report = _json(scored[team] / "report.json")
    jsonschema.validate(report, _json(schema_path("score-report")), cls=Draft202012Validator)
    item_schema = Draft202012Validator(_json(schema_path("scored-item")))
    items = _items(scored[team])
    for item in items:
        item_schema.validate(item)
    for each in report["dimensions"]:
        listed = references / each["language"] / f"{each['task']}.jsonl"
        asked = len(listed.read_text("utf-8").splitlines()) if listed.exists() else 0
        assert sum(each["counts"].values()) == asked
        mine = [i for i in items if all(i[key] == each[key] for key in ("task", "language", "dimension"))]
        assert Counter(item["state"] for item in mine) == Counter(each["counts"])
        counted = [item["score"] for item in mine if item["score"] is not None]
        if each["mean"] is not None:
            assert Fraction(str(each["sum"])) == sum(counted)
            assert each["n"] == len(counted)
    assert report["complete"] is True
    assert report["judge"]["official"] is False


def test_the_careful_team_beats_the_lazy_one_in_both_languages(board: Any) -> None:
    rows = {row["team"]: row for row in board["rows"]}
    for language in load_challenge().languages:
        assert rows["careful"][language] > rows["lazy"][language]
    assert rows["careful"]["rank"] < rows["lazy"]["rank"]


def test_the_table_says_what_the_small_judge_cannot_judge(board: Any) -> None:
    assert board["official"] is False
    for row in board["rows"]:
        assert row["missing_weight"] == {
            "task4.audio_quality_naturalness": 0.25,
            "task4.vocal_empathy_congruence": 0.25,
        }
        assert row["columns"]["zh.task4.vocal_empathy_congruence"] is None


def test_faults_of_the_lazy_team_are_floored_and_counted_by_kind(scores: Path) -> None:
    items = _items(scores / "lazy")
    challenge = load_challenge()
    floored = [item for item in items if item["state"] in ("too_short", "language_mismatch", "missing", "silent")]
    assert "language_mismatch" in {item["state"] for item in floored}
    assert all(item["score"] == challenge.tasks[item["task"]].lowest for item in floored)


def test_every_request_for_a_mark_is_flagged(scored: dict[str, Path]) -> None:
    judged = [item for item in _items(scored["hostile"]) if item["state"] == "scored"]
    flagged = [item for item in judged if "F_INJ" in item["flags"]]
    assert len(flagged) >= 0.8 * len(judged)
    assert not any("F_INJ" in item["flags"] for team in ("careful", "paper") for item in _items(scored[team]))


def test_no_dimension_is_a_copy_of_another(scored: dict[str, Path]) -> None:
    for task in ("task2", "task3"):
        marks: dict[str, list[Any]] = {}
        for team in TEAMS:
            for item in _items(scored[team]):
                if item["task"] == task and item["state"] == "scored":
                    marks.setdefault(item["dimension"], []).append(item["score"])
        columns = [tuple(column) for column in marks.values()]
        assert len(set(columns)) == len(columns) == 3


def test_scoring_again_gives_the_same_bytes(
    scores: Path, runs: Path, dev: Path, humdial: Humdial, tmp_path: Path
) -> None:
    """Judged anew by another container, and again from stored verdicts."""
    for name, more in (("fresh", ["--fresh"]), ("stored", [])):
        out = tmp_path / name
        arguments = ("--references", dev, "--out", out, "--team", "lazy", *more)
        assert humdial("score", runs / "lazy" / "submission", *arguments).returncode == 0
        for file in ("report.json", "items.jsonl", "verdicts.jsonl", "fingerprint.json"):
            assert (out / file).read_bytes() == (scores / "lazy" / file).read_bytes()


def test_gold_text_is_in_nothing_that_scoring_prints_or_reports(scored: dict[str, Path], dev: Path) -> None:
    """Reports and items go to teams one day; only the request folder, which is gone, held user text."""
    gold = {
        turn["text"]
        for path in dev.glob("*/*.jsonl")
        for line in path.read_text("utf-8").splitlines()
        for turn in json.loads(line)["turns"]
    }
    for path in (path for folder in scored.values() for path in folder.rglob("*")):
        if path.is_file():
            text = path.read_text("utf-8")
            assert not [said for said in gold if said in text], path


def test_labels_in_a_submission_change_nothing(
    paper_scored: Path, dev: Path, paper: Path, humdial: Humdial, tmp_path: Path
) -> None:
    """The answer key is never read out of the submission."""
    forged = tmp_path / "forged"
    shutil.copytree(paper, forged)
    for path in forged.glob("*/*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for turn in (turn for row in rows for turn in row["turns"]):
            turn["text"], turn["emotion"] = turn["response_text"], "happy"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    result = humdial("score", forged, "--references", dev, "--out", tmp_path / "out", "--team", "paper")
    assert result.returncode == 0, result.stderr + result.stdout
    assert (tmp_path / "out" / "items.jsonl").read_bytes() == (paper_scored / "items.jsonl").read_bytes()


def test_an_invalid_folder_gets_its_findings_and_no_report(sample: Path, humdial: Humdial, tmp_path: Path) -> None:
    broken = sample / "submissions" / "broken"
    result = humdial("score", broken, "--references", sample / "references", "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "E_WAV_SIZE" in result.stdout
    assert not (tmp_path / "out" / "report.json").exists()
    listed = humdial("leaderboard", tmp_path / "out", "-f", "json")
    assert "invalid submission" in listed.stdout or listed.returncode == 2


def test_a_folder_cannot_pass_itself_off_as_collected(runs: Path, dev: Path, humdial: Humdial, tmp_path: Path) -> None:
    """Missing items are forgiven only where the run record beside the folder lists exactly its files."""
    shutil.copytree(runs / "lazy", tmp_path / "lazy")
    extra = tmp_path / "lazy" / "submission" / "zh" / "task2.jsonl"
    extra.write_bytes(extra.read_bytes() + b"\n")
    arguments = ("--references", dev, "--out", tmp_path / "out", "--team", "lazy")
    result = humdial("score", tmp_path / "lazy" / "submission", *arguments)
    assert result.returncode == 1
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_judge_that_is_killed_gives_the_verdicts_that_it_would_have_given(
    paper_scored: Path, short_dev: Path, short_paper: Path, engine: Engine, humdial: Humdial, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its container is killed, then the whole evaluation beside its next one: the same command ends the run."""
    of_record = {each["item"]: each for each in map(json.loads, (paper_scored / "verdicts.jsonl").open("rb"))}
    monkeypatch.setenv("HUMDIAL_CACHE", str(_cache_without(of_record, tmp_path / "cache")))
    shutil.copytree(short_paper, tmp_path / "paper")
    row = '[[team]]\nname = "paper"\ntrack = "track1"\nsubmission = "paper"\n'
    (tmp_path / "teams.toml").write_text(row, "utf-8")
    out = tmp_path / "run"
    given = ["evaluate", tmp_path / "teams.toml", "--inputs", short_dev, "--references", short_dev]
    command = [*map(str, given), "--out", str(out)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([sys.executable, "-m", "harness", *command], stdout=said, stderr=said)
    first = _judge_of(engine, out, process)
    engine.api.kill(first)
    second = _judge_of(engine, out, process, other_than=first)
    process.kill()
    process.wait()
    assert not (out / "leaderboard.json").exists()
    done = humdial(*command)
    assert done.returncode == 0, done.stderr
    assert second not in [entry["Id"] for entry in engine.api.containers(all=True)]  # nobody else would have stopped it
    (judged,) = (each.data for each in scan(out / "journal.jsonl").records if each.event == "judged")
    blob = out / "blobs" / judged["verdicts"][:2] / judged["verdicts"]
    found = [json.loads(line) for line in blob.read_bytes().splitlines()]
    assert len(found) == 2
    assert all({**each, "attempts": 1} == {**of_record[each["item"]], "attempts": 1} for each in found)


def _cache_without(items: Iterable[str], folder: Path) -> Path:
    """This cache with all verdicts but those of ``items``: the judge is built and has marked its known answers."""
    folder.mkdir()
    for entry in cache_dir().iterdir():
        if entry.name == "verdicts":
            shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns(".*"))  # none half-written
        else:
            (folder / entry.name).symlink_to(entry)
    for item in items:
        name = item.removeprefix("sha256:")
        for path in (folder / "verdicts").glob(f"*/{name[:2]}/{name}-*.json"):
            path.unlink()
    return folder


def _judge_of(engine: Engine, out: Path, process: subprocess.Popen[bytes], *, other_than: str = "") -> str:
    """The id of the judge's container that runs for the evaluation in ``out``, once there is one."""
    until = time.monotonic() + 600
    while time.monotonic() < until and process.poll() is None:
        if (out / "run.json").is_file():
            nonce = _json(out / "run.json")["nonce"]
            for entry in engine.api.containers(filters={"label": NONCE_LABEL}):
                if entry["Labels"][NONCE_LABEL].startswith(nonce) and entry["Id"] != other_than:
                    return str(entry["Id"])
        time.sleep(0.05)
    raise AssertionError((out.parent / "said").read_text("utf-8"))
