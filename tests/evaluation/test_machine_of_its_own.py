"""Runs that measure delays, up to the table: on a machine that falls idle, on one that never does, on one that is held.

Only what the kernel says of its processors is made up here; the engine is a real one that nobody else uses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import here
from own_engine import OwnEngine

from harness.resources import data_dir
from harness.sandbox import connect, host_processor, latency
from harness.sandbox.latency import machine_lock

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("dockerd", path="/usr/sbin:/usr/bin") is None, reason="needs root"
    ),
]
# Says again whatever it hears, which is not much of a partner; long enough for its processor time to be seen.
ECHO = """
sleep 1
for folder in test clean; do
    mkdir -p /output/$folder
    for heard in /input/$folder/*.wav; do
        name=${heard##*/}
        cat "$heard" > /output/$folder/${name%.wav}_output.wav
    done
done
"""
KEPT = ("follow_up", "backchannel")
SHARED = "W_LATENCY_SHARED"
Ran = Callable[[str], tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def inputs(duplex_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two inputs of the sample with their clean counterparts."""
    root = tmp_path_factory.mktemp("two") / "inputs"
    rows = [json.loads(line) for line in (duplex_sample / "inputs/key.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["language"] == "en" and row["scenario"] in KEPT]
    for name in (name for row in rows for name in (row["file"], row["clean"])):
        target = root / name.partition("-")[0] / f"{name}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(duplex_sample / "inputs" / target.parent.name / target.name, target)
    (root / "key.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return root


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEngine]:
    engine = OwnEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", engine.address)
        patch.setenv("HUMDIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        try:
            engine.start()
            yield engine
        finally:
            engine.remove()


@pytest.fixture(scope="module")
def echo(own: OwnEngine) -> str:
    return own.shell_image(connect(), ECHO)


@pytest.fixture
def ran(inputs: Path, echo: str, tmp_path: Path) -> Ran:
    """``ran(wait_s)`` runs the image with that patience: the record, and what was said."""

    def each(wait_s: str) -> tuple[dict[str, Any], str]:
        spec = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
        spec = re.sub(r"sample_s = .*", "sample_s = 0.05", re.sub(r"wait_s = .*", f"wait_s = {wait_s}", spec))
        (tmp_path / "challenge.toml").write_text(spec, "utf-8")
        given = ("--inputs", inputs, "--out", tmp_path / "run", "--challenge", tmp_path / "challenge.toml")
        code, said = here("run", echo, *given)
        assert code == 0, said
        return json.loads((tmp_path / "run/run.json").read_text("utf-8")), said

    return each


def tabulated(folder: Path, inputs: Path) -> str:
    """What score and table say of a run. The table stands on typed-in figures, for two inputs make no total; whose
    delays they are comes from the score."""
    challenge = ("--challenge", folder / "challenge.toml")
    given = ("--references", inputs, "--team", "echo", "--judge", "none", "--delay-from", "voice", "--baseline")
    code, told = here("score", folder / "run/submission", "--out", folder / "echo", *given, *challenge)
    assert code == 0, told
    report = json.loads((folder / "echo/report.json").read_text("utf-8"))
    typed = {group: {"zh": 50, "en": 50} for group in ("interruption", "rejection")}
    for team, plain in (
        ("echo", {"total_delay_s": 2.0, "delays": report["measures"]["delays"]}),
        ("other", {"total_delay_s": 1.0}),
    ):
        (folder / "all" / team).mkdir(parents=True)
        row = {**report, "team": team, "baseline": team == "echo", "measures": {**typed, **plain}}
        (folder / "all" / team / "report.json").write_text(json.dumps(row), "utf-8")
    code, table = here("leaderboard", folder / "all/echo", folder / "all/other", *challenge)
    assert code == 0, table
    return told + table


def test_a_machine_that_falls_idle_is_waited_for_and_marked_as_one_of_its_own(
    ran: Ran, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([0.9, 0.4, 0.06, 0.2])
    monkeypatch.setattr(latency, "busy_share", lambda over_s: next(looks, 0.0))
    monkeypatch.setattr(host_processor, "busy_s", lambda: 0.0)  # nobody else while the container runs
    record, said = ran("600.0")
    found = record["latency"]
    assert (found["shared"], found["why"]) == (False, []) and SHARED not in record["warnings"]
    assert found["busy_before"] == found["busy_by_others"] == 0 and found["other_containers"] == 0
    assert 0.7 <= found["idle_waited_s"] < 500
    assert "delays   machine of its own" in said
    said += tabulated(tmp_path, inputs)
    assert "delays were measured on a machine of its own (echo)" in said and "shared" not in said


def test_a_machine_that_never_falls_idle_is_waited_for_and_then_marked_as_shared(
    ran: Ran, own: OwnEngine, echo: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its processors are in use, and somebody else's container is there."""
    monkeypatch.setattr(host_processor, "busy_s", lambda: time.monotonic() * host_processor.processors())
    api = connect().api
    asleep = {"Image": echo, "Entrypoint": ["/bin/sleep", "600"], "HostConfig": {"NetworkMode": "none"}}
    stranger = api.create_container_from_config(asleep, "stranger")["Id"]
    api.start(stranger)
    try:
        record, said = ran("1.5")
    finally:
        api.remove_container(stranger, force=True)
    latency = record["latency"]
    assert latency["shared"] and SHARED in record["warnings"] and latency["other_containers"] == 1
    assert latency["idle_waited_s"] >= 1.5 and latency["busy_before"] > 0.9
    assert [why.split(" ", 1)[1] for why in latency["why"]] == [
        "of the processors were used before the run; 5% are allowed",
        "of the processors were used by others during the run; 5% are allowed",
        "other containers were running",
    ]
    assert record["state"] == "completed" and len(record["outputs"]) == 4
    assert "delays   shared machine" in said and SHARED in said
    said += tabulated(tmp_path, inputs)
    assert "delays were measured on a shared machine (echo)" in said and "machine of its own" not in said


def test_a_machine_that_another_such_run_holds_is_not_had(
    inputs: Path, echo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits as long as a run may take, here a second, and nothing is held against the team."""
    (tmp_path / "limits.toml").write_text("wall_s = 1\n")
    with machine_lock(600.0):
        given = ("--inputs", inputs, "--out", tmp_path / "run", "--limits", tmp_path / "limits.toml")
        code, said = here("run", echo, *given)
    assert code == 3 and "R_INFRASTRUCTURE" in said
    record = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert (record["state"], record["fault"], record["outputs"]) == ("infrastructure", "infrastructure", [])
