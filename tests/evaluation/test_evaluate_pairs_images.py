"""Track 2 from images to the table in one command: containers under the latency protocol, a real recogniser, a real
judge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench import published
from command import here
from pair_set import small_spec
from shown import execute, shown

from harness.evaluation.judge_image import JudgeImage
from harness.sandbox import Engine

pytestmark = [pytest.mark.engine, pytest.mark.judge]
# A team's image, and how long it waits for a pause and talks on when somebody breaks in, in milliseconds.
TEAMS = {"baseline": (1500, 1200), "partner": (900, 500)}


@pytest.fixture(scope="module")
def folder(duplex_sample: Path, engine: Engine, base_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two inputs of the sample with a clean counterpart, and a list of two images and a hand-in that is broken."""
    root = tmp_path_factory.mktemp("track2")
    rows = [json.loads(line) for line in (duplex_sample / "inputs/key.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["language"] == "en" and row["scenario"] in ("follow_up", "pause")]
    for name in [row["file"] for row in rows] + [row["clean"] for row in rows if row["clean"]]:
        target = root / "references" / name.partition("-")[0] / f"{name}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(duplex_sample / "inputs" / target.parent.name / target.name, target)
    shutil.copytree(root / "references", root / "inputs")
    (root / "references/key.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (root / "spec.toml").write_text(small_spec(), "utf-8")
    (root / "nothing.zip").write_text("no archive", "utf-8")
    lines = ['[[team]]\nname = "broken"\ntrack = "track2"\nsubmission = "nothing.zip"\n']
    for team, (pause, stop) in TEAMS.items():
        tag = f"humdial/sample-duplex-{team}:evaluate"
        build = ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag]
        arguments = ["--build-arg", f"PAUSE_MS={pause}", "--build-arg", f"STOP_MS={stop}", duplex_sample / "team"]
        subprocess.run([*build, *arguments], check=True, capture_output=True)
        image = f'image = "{engine.image_id(tag)}"\nbaseline = {str(team == "baseline").lower()}\n'
        lines.append(f'[[team]]\nname = "{team}"\ntrack = "track2"\n{image}')
    (root / "teams.toml").write_text("\n".join(lines), "utf-8")
    return root


@pytest.fixture(scope="module")
def run(folder: Path, judge: JudgeImage) -> Path:
    """The page's command; only that it is of a smaller challenge, and of two teams at once."""
    page = shown("how-to/evaluate.md", "humdial evaluate teams.toml --track track2")
    block = replace(page, text=f"{page.text} --jobs 2 --challenge spec.toml")
    execute(block, folder, {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    return folder / "run-track2"


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_faster_image_is_ahead_and_the_broken_one_is_named(run: Path) -> None:
    rows = {row["team"]: row for row in _json(run / "leaderboard.json")["rows"]}
    assert [rows[team]["rank"] for team in ("partner", "baseline", "broken")] == [1, 2, None]
    assert (rows["partner"]["columns"]["delay_score"], rows["baseline"]["columns"]["delay_score"]) == (100, 60)
    reports = {team: _json(run / f"teams/{team}/scores/report.json") for team in TEAMS}
    for report in reports.values():
        assert report["measures"]["words_by"]["recogniser"] == report["measures"]["labels_from"] == "small"
        assert report["measures"]["en"]["outputs"] == {"ok": 2} and report["canaries"]["passed"]
    assert len({report["judge"]["fingerprint"] for report in reports.values()}) == 1


def test_an_image_whose_delays_are_measured_has_nothing_of_ours_beside_it(run: Path) -> None:
    under_way: set[tuple[str, str]] = set()
    runs = 0
    for event in map(json.loads, (run / "events.jsonl").read_text("utf-8").splitlines()):
        task = (event["team"], event["stage"])
        if event["event"] == "started":
            under_way.add(task)
        elif event["event"] == "ended":
            runs += event["stage"] == "run"
            under_way.discard(task)
        assert len(under_way) <= 1 or not any(stage == "run" for _, stage in under_way)
        assert runs == len(TEAMS) or not any(stage in ("hear", "judge") for _, stage in under_way)
    assert runs == len(TEAMS)
    for team in TEAMS:
        record = _json(run / f"teams/{team}/run.json")
        assert record["latency"]["warm_up"] == 2
        shared = {True: "shared", False: "alone"}[record["latency"]["shared"]]
        assert _json(run / f"teams/{team}/scores/report.json")["measures"]["delays"] == shared


def test_it_verifies_from_the_outputs_on_and_scores_again_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    code, said = here("verify", run, "-f", "json")
    assert code == 0, said
    found = json.loads(said)
    assert (found["checked"]["hand_ins"], found["not_stored"]) == (2, ["broken"])
    code, said = here("rescore", run, "--out", tmp_path / "again")
    assert code == 0, said
    for name, data in published(run).items():
        assert (tmp_path / "again" / name).read_bytes() == data
    code, said = here("report", run, "--out", tmp_path / "report.html", "--challenge", run.parent / "spec.toml")
    assert code == 0 and "partner" in (tmp_path / "report.html").read_text("utf-8"), said
