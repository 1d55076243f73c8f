"""The whole of Track 2 with real images: two containers run on synthesised speech, are scored and tabulated."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import soundfile
from jsonschema.validators import Draft202012Validator

from harness.resources import data_dir, schema_path
from harness.sandbox import Engine

pytestmark = pytest.mark.engine
Humdial = Callable[..., subprocess.CompletedProcess[str]]
BuildImage = Callable[..., str]
LABELS = {"follow_up", "negation", "repetition", "topic_switch", "termination"}


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The challenge, but nobody waits for the machine of a test to become idle."""
    spec = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
    path = tmp_path_factory.mktemp("spec") / "challenge.toml"
    path.write_text(re.sub(r"wait_s = .*", "wait_s = 0.0", spec.replace("sample_s = 1.0", "sample_s = 0.1")), "utf-8")
    return path


@pytest.fixture(scope="module")
def runs(
    duplex_sample: Path, impatient: Path, engine: Engine, base_image: str, humdial: Humdial,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """One run each of the sample team and of a slower twin, the baseline."""
    out = tmp_path_factory.mktemp("runs")
    for team, pause, stop in (("partner", 900, 500), ("baseline", 1500, 1200)):
        tag = f"humdial/sample-duplex-{team}:test"
        build = ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag]
        arguments = ["--build-arg", f"PAUSE_MS={pause}", "--build-arg", f"STOP_MS={stop}", duplex_sample / "team"]
        subprocess.run([*build, *arguments], check=True, capture_output=True)
        given = ("--inputs", duplex_sample / "inputs", "--out", out / team, "--challenge", impatient)
        done = humdial("run", tag, *given)
        assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_input_has_its_output_under_its_real_name(runs: Path, duplex_sample: Path) -> None:
    submission = runs / "partner" / "submission"
    for path in sorted((duplex_sample / "inputs").glob("*/*.wav")):
        output = submission / path.parent.name / f"{path.stem}_output.wav"
        assert soundfile.info(output).frames == soundfile.info(path).frames
    assert len(list(submission.rglob("*.wav"))) == 36  # 20 test and 16 clean inputs, none of the warm-up
    validation = _json(runs / "partner" / "validation.json")
    assert validation["valid"] and validation["findings"] == []


def test_the_record_says_under_what_conditions_delays_were_measured(runs: Path) -> None:
    record = _json(runs / "partner" / "run.json")
    jsonschema.validate(record, _json(schema_path("run-record")), cls=Draft202012Validator)
    latency = record["latency"]
    assert latency["warm_up"] == 2
    assert latency["shared"] == bool(latency["why"]) == ("W_LATENCY_SHARED" in record["warnings"])
    assert latency["clocks"]["source"] and len(latency["load_before"]) == 3
    assert 0 <= latency["busy_by_others"] <= 1


def test_from_runs_to_the_table(
    runs: Path, duplex_sample: Path, impatient: Path, humdial: Humdial, tmp_path: Path
) -> None:
    """What the two programs are built to do can be read from their measures, and the table ranks them so."""
    key = [json.loads(line) for line in (duplex_sample / "inputs" / "key.jsonl").read_text("utf-8").splitlines()]
    labels = tmp_path / "labels.jsonl"
    rows = [{"file": row["file"], "behaviour": ["RESPOND" if row["scenario"] in LABELS else "RESUME"]} for row in key]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for team, options in (("partner", ()), ("baseline", ("--baseline",))):
        given = ("--references", duplex_sample / "inputs", "--labels", labels, "--delay-from", "voice", "--team", team)
        place = (runs / team / "submission", "--out", tmp_path / team, "--challenge", impatient)
        done = humdial("score", *place, *given, *options)
        assert done.returncode == 0, done.stdout + done.stderr
    partner, baseline = (_json(tmp_path / team / "report.json")["measures"] for team in ("partner", "baseline"))
    for language in ("en", "zh"):
        ours, theirs = partner[language], baseline[language]
        assert ours["outputs"] == {"ok": 10}
        # It falls silent half a second after a real interruption; a "yeah" is shorter and does not stop it.
        assert ours["stop_latency_s"]["follow_up"] < 1.6
        assert ours["stop_latency_s"]["follow_up"] < theirs["stop_latency_s"]["follow_up"]
        assert ours["response_latency_s"]["follow_up"] == pytest.approx(0.8, abs=0.15)
        assert theirs["first_response_delay_s"]["pause"] == pytest.approx(1.4, abs=0.15)
        # It waits out a pause, but cannot tell who speaks: it answers the other speaker before the query comes.
        assert ours["rejection"]["pause"] == 1.0 and ours["rejection"]["third_party"] == 0.5
    marked = {True: "shared", False: "alone"}
    for team, measures in (("partner", partner), ("baseline", baseline)):
        shared = _json(runs / team / "run.json")["latency"]["shared"]
        assert measures["delays"] == marked[shared]
        assert shared == ("delays were measured on a shared machine" in measures["note"])
    shown = humdial("leaderboard", tmp_path / "partner", tmp_path / "baseline", "--challenge", impatient, "-f", "json")
    assert shown.returncode == 0, shown.stderr
    first, second = json.loads(shown.stdout)["rows"]
    assert (first["team"], second["team"]) == ("partner", "baseline")
    assert (first["columns"]["delay_score"], second["columns"]["delay_score"]) == (100, 60)
    assert "; ".join(first["notes"]) == partner["note"]
    text = humdial("leaderboard", tmp_path / "partner", tmp_path / "baseline", "--challenge", impatient).stdout
    assert ("delays were measured on a shared machine (" in text) == (
        "shared" in (partner["delays"], baseline["delays"])
    )


def test_what_the_container_sees_tells_nothing(
    duplex_sample: Path, impatient: Path, build_image: BuildImage, humdial: Humdial, tmp_path: Path
) -> None:
    """It lists what it finds; its log holds opaque names in equal clothes, other ones on each run."""
    spy = "find /input -printf '%P %s %T@ %m\\n'; env | grep HUMDIAL; cp -r /input/* /output/"
    image = build_image(f'CMD ["/bin/sh", "-c", "{spy}"]'.replace("\\n", "\\\\n"))
    seen = []
    inputs = tmp_path / "inputs"
    (inputs / "test").mkdir(parents=True)
    for path in sorted((duplex_sample / "inputs" / "test").iterdir())[:3]:
        shutil.copyfile(path, inputs / "test" / path.name)
    for number in range(2):
        out = tmp_path / str(number)
        done = humdial("run", image, "--inputs", inputs, "--out", out, "--challenge", impatient)
        assert done.returncode == 1 and _json(out / "run.json")["state"] == "output_missing", done.stderr
        seen.append((out / "container.log").read_text("utf-8"))
    names = [re.findall(r"test/([0-9a-f]{16})\.wav", log) for log in seen]
    assert len(names[0]) == len(names[1]) == 5  # three, and two that only warm up
    assert not set(names[0]) & set(names[1])
    assert "HUMDIAL_TASKS=test\n" in seen[0] and "HUMDIAL_LANGUAGES=zh,en\n" in seen[0]
    dates = {line.split()[2] for line in seen[0].splitlines() if ".wav" in line}
    assert len(dates) == 1 and "test-" not in seen[0] + seen[1]
