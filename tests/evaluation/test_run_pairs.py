"""The whole of Track 2 with real images: two containers run on synthesised speech, are scored and tabulated."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import soundfile
from command import here
from jsonschema.validators import Draft202012Validator
from shown import execute, shown

from harness.challenge.load import load_challenge
from harness.resources import data_dir, schema_path
from harness.sandbox import Engine, PairFiles
from harness.sandbox.staging_pairs import stage_pairs

pytestmark = pytest.mark.engine
BuildImage = Callable[..., str]
DELAYS = ("stop_latency_s", "response_latency_s", "first_response_delay_s")
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
    duplex_sample: Path, impatient: Path, engine: Engine, base_image: str, build_image: BuildImage,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """One run each of the sample team, of a slower twin, the baseline, and of one that waits for a pause of ten
    minutes; it loses three of its outputs and breaks three, at most two of each only a warm-up's."""
    out = tmp_path_factory.mktemp("runs")
    for team, pause, stop in (("partner", 900, 500), ("baseline", 1500, 1200), ("mute", 600_000, 500)):
        tag = f"humdial/sample-duplex-{team}:test"
        build = ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag]
        arguments = ["--build-arg", f"PAUSE_MS={pause}", "--build-arg", f"STOP_MS={stop}", duplex_sample / "team"]
        subprocess.run([*build, *arguments], check=True, capture_output=True)
        if team == "partner":
            engine.api.tag(tag, "team-image", "1")
            shutil.copytree(duplex_sample / "inputs", out / "inputs")
            page = shown("how-to/track2.md", "humdial run team-image:1")
            # The page's command; only that nobody waits, and that the seed is known.
            block = replace(page, text=f"{page.text} --seed {team} --challenge {impatient}")
            execute(block, out, {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
            (out / "runs" / "alpha").rename(out / team)
            continue
        if team == "mute":
            three = "$(ls | head -n 3)"
            loses = f"python3 /team/main.py && cd /output/test && rm {three} && for i in {three}; do echo no > $i; done"
            tag = build_image(f"FROM {tag}", f"ENTRYPOINT {json.dumps(['/bin/sh', '-c', loses])}")
        given = ("--inputs", duplex_sample / "inputs", "--out", out / team, "--seed", team, "--challenge", impatient)
        code, said = here("run", tag, *given)
        assert code == 0, said
    return out


def score(runs: Path, team: str, sample: Path, out: Path, *options: object) -> dict[str, Any]:
    """The measures of one of the runs."""
    given = ("--references", sample / "inputs", "--delay-from", "voice", "--team", team, "--out", out)
    code, said = here("score", runs / team / "submission", *given, *options)
    assert code == 0, said
    found: dict[str, Any] = _json(out / "report.json")["measures"]
    return found


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


@pytest.fixture(scope="module")
def scored(runs: Path, duplex_sample: Path, impatient: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Policy strict: what scoring leaves, a folder a team. The labels call all outputs a success, the mute ones too."""
    out = tmp_path_factory.mktemp("scored")
    labels = out / "labels.jsonl"
    key = [json.loads(line) for line in (duplex_sample / "inputs" / "key.jsonl").read_text("utf-8").splitlines()]
    rows = [{"file": row["file"], "behaviour": ["RESPOND" if row["scenario"] in LABELS else "RESUME"]} for row in key]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for team, options in (("partner", ()), ("baseline", ("--baseline",)), ("mute", ())):
        score(runs, team, duplex_sample, out / "all" / team, "--challenge", impatient, "--labels", labels, *options)
    return out / "all"


def test_from_runs_to_the_table(runs: Path, scored: Path, impatient: Path) -> None:
    """What the two programs are built to do can be read from their measures, and the table ranks them so."""
    partner, baseline = (_json(scored / team / "report.json")["measures"] for team in ("partner", "baseline"))
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
        # That early answer stays in the mean, with all the time that was left.
        assert ours["n"]["first_response_delay_s"]["third_party"] == 2
        assert ours["first_response_delay_s"]["third_party"] > 2 * ours["first_response_delay_s"]["pause"]
    marked = {True: "shared", False: "alone"}
    for team, measures in (("partner", partner), ("baseline", baseline)):
        shared = _json(runs / team / "run.json")["latency"]["shared"]
        assert measures["delays"] == marked[shared]
        assert ("machine of its own" not in measures["note"]) == shared == ("a shared machine" in measures["note"])
    code, shown = here("leaderboard", scored, "--challenge", impatient, "-f", "json")
    assert code == 0, shown
    first, second, third = json.loads(shown)["rows"]
    assert [row["team"] for row in (first, second, third)] == ["partner", "baseline", "mute"]
    assert (first["columns"]["delay_score"], second["columns"]["delay_score"]) == (100, 60)
    assert "; ".join(first["notes"]) == partner["note"]


def test_a_system_that_says_nothing_is_neither_fast_nor_patient(runs: Path, scored: Path, impatient: Path) -> None:
    """Policy strict: its outputs are listed, stay in every denominator with the longest time, and it ranks last."""
    findings = _json(scored / "mute" / "validation.json")["findings"]
    counted = Counter(finding["code"] for finding in findings)
    states = {"missing": counted["E_LAYOUT_MISSING"], "invalid": counted["E_WAV_FORMAT"]}
    assert all(1 <= count <= 3 for count in states.values())
    states["silent"] = 20 - sum(states.values())
    assert counted == {
        "E_LAYOUT_MISSING": states["missing"],
        "E_WAV_FORMAT": states["invalid"],
        "W_PAIR_SILENT": 16 + states["silent"],
    }
    assert {finding["severity"] for finding in findings} == {"warning"}
    mute, partner = (_json(scored / team / "report.json")["measures"] for team in ("mute", "partner"))
    assert Counter(mute["en"]["outputs"]) + Counter(mute["zh"]["outputs"]) == states
    for language in ("en", "zh"):
        ours, theirs = mute[language], partner[language]
        assert sum(ours["outputs"].values()) == 10 and "ok" not in ours["outputs"]
        assert set(ours["interruption"].values()) == set(ours["rejection"].values()) == {0.0}
        for name in ("interruption", "rejection", *DELAYS):
            assert ours["n"][name] == {scenario: 2 if scenario == "third_party" else 1 for scenario in ours[name]}
        for name in DELAYS:
            for scenario, seconds in ours[name].items():
                assert seconds > 1 and seconds >= (theirs[name][scenario] or 0), (name, scenario)
    code, table = here("leaderboard", scored, "--challenge", impatient)
    assert code == 0 and all(state in table for state in states)
    code, shown = here("leaderboard", scored, "--challenge", impatient, "-f", "json")
    row = json.loads(shown)["rows"][-1]
    assert (row["team"], row["rank"]) == ("mute", 3) and row["columns"]["delay_score"] < 60


def test_under_policy_published_nothing_stands_behind_its_means(
    runs: Path, duplex_sample: Path, impatient: Path, tmp_path: Path
) -> None:
    """It has no delay, least of all one of 0 s, and no total; the table lists it and says what is missing."""
    options = ("--policy", "published", "--challenge", impatient, "--judge", "none")
    mute = score(runs, "mute", duplex_sample, tmp_path / "mute", *options)
    for language in ("en", "zh"):
        for name in ("interruption", "rejection", *DELAYS):
            assert set(mute[language][name].values()) == {None}
            assert set(mute[language]["n"][name].values()) == {0}
    report = _json(tmp_path / "mute" / "report.json")
    typed = {"interruption": {"zh": 50, "en": 50}, "rejection": {"zh": 50, "en": 50}}
    for team, delay in (("beta", 1.0), ("baseline", 2.0)):
        plain = {**report, "team": team, "baseline": team == "baseline", "measures": {**typed, "total_delay_s": delay}}
        (tmp_path / team).mkdir()
        (tmp_path / team / "report.json").write_text(json.dumps(plain))
    code, table = here("leaderboard", tmp_path, "--challenge", impatient)
    assert code == 0 and "no final score, not measured" in table, table
    code, shown = here("leaderboard", tmp_path, "--challenge", impatient, "-f", "json")
    first, second, row = json.loads(shown)["rows"]
    assert (first["rank"], second["rank"]) == (1, 2)
    assert (row["team"], row["rank"], row["final"]) == ("mute", None, None)
    assert row["columns"]["total_delay_s"] is row["columns"]["delay_score"] is None
    for reports, why in (
        (("mute", "beta"), "none is among the reports"),
        (("mute", "baseline"), "no system is faster than the baseline"),
    ):
        code, said = here("leaderboard", *(tmp_path / team for team in reports), "--challenge", impatient)
        assert code == 2 and "[E_COHORT]" in said and why in said


def test_what_the_container_sees_tells_nothing(
    duplex_sample: Path, impatient: Path, build_image: BuildImage, tmp_path: Path
) -> None:
    """It lists what it finds; its log holds opaque names in equal clothes, and another seed gives other ones."""
    spy = "find /input -printf '%P %s %T@ %m\\n'; env | grep HUMDIAL; cp -r /input/* /output/"
    image = build_image(f'CMD ["/bin/sh", "-c", "{spy}"]'.replace("\\n", "\\\\n"))
    inputs, out = tmp_path / "inputs", tmp_path / "out"
    (inputs / "test").mkdir(parents=True)
    for path in sorted((duplex_sample / "inputs" / "test").iterdir())[:3]:
        shutil.copyfile(path, inputs / "test" / path.name)
    code, said = here("run", image, "--inputs", inputs, "--out", out, "--challenge", impatient)
    assert code == 1 and _json(out / "run.json")["state"] == "output_missing", said
    seen = (out / "container.log").read_text("utf-8")
    names = re.findall(r"test/([0-9a-f]{16})\.wav", seen)
    assert len(names) == 5  # three, and two that only warm up
    challenge = load_challenge()
    assert challenge.duplex is not None
    files = PairFiles(tuple(f"test/{path.stem}" for path in (inputs / "test").iterdir()), challenge.duplex)
    others = [set(stage_pairs(files, inputs, tmp_path / seed, challenge, seed).outputs) for seed in ("a", "b")]
    assert all(len(found) == 3 for found in others) and not others[0] & others[1]
    assert not {name.partition("_")[0].partition("/")[2] for found in others for name in found} & set(names)
    assert "HUMDIAL_TASKS=test\n" in seen and "HUMDIAL_LANGUAGES=zh,en\n" in seen
    dates = {line.split()[2] for line in seen.splitlines() if ".wav" in line}
    assert len(dates) == 1 and "test-" not in seen
