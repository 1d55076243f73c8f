"""`humdial doctor` and `humdial clean` on this machine: every finding has one thing to do, and what is left goes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from shown import execute, shown

from harness.challenge.spec import RunLimits
from harness.resources import schema_path
from harness.sandbox import Engine, owner, remove_leftovers
from harness.sandbox.leftovers import clean, left_containers, left_stores
from harness.sandbox.output_store import output_store, release
from harness.sandbox.owner import OWNER_LABEL, Owner, owner_of, this_process
from harness.sandbox.preflight import _work_folder, left_probes
from harness.sandbox.profile import container_arguments

OWNER_OF_ITS_OWN = "from harness.sandbox.owner import this_process; print(this_process(), end='')"


def humdial(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "harness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, check=False)


def examined(*arguments: str, **variables: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = humdial("doctor", "-f", "json", *arguments, **variables)
    plain = json.loads(done.stdout)
    schema = json.loads(schema_path("doctor-report").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(plain)
    return done.returncode, {check["name"]: check for check in plain["checks"]}


@pytest.mark.engine
def test_every_finding_has_one_thing_to_do(engine: Engine) -> None:
    exit_code, checks = examined()
    assert set(checks) == {
        "python", "kernel", "clock", "engine", "runtime", "cgroup", "preflight", "limits", "storage", "leftovers",
        "work", "gpu",
    }  # fmt: skip
    for check in checks.values():
        assert bool(check["fix"]) == (check["health"] != "ok"), check
        assert check["found"]
    assert checks["preflight"]["health"] == "ok"
    assert engine.host().version in checks["engine"]["found"]
    assert exit_code in (0, 1)  # 1 when this machine's disk is nearly full
    text = humdial("doctor").stdout
    moving = ("clock", "storage", "work", "leftovers")  # other tests' containers come and go between two looks
    assert all(check["found"] in text for check in checks.values() if check["name"] not in moving)


@pytest.mark.engine
def test_a_runtime_that_is_not_there_stops_everything(engine: Engine) -> None:
    exit_code, checks = examined("--runtime", "kata")
    assert exit_code == 3
    assert checks["runtime"]["health"] == "missing"
    assert "kata" in checks["runtime"]["found"]


def test_no_engine_is_told_with_what_to_do(tmp_path: Path) -> None:
    exit_code, checks = examined(DOCKER_HOST=f"unix://{tmp_path}/none")
    assert exit_code == 3
    assert checks["engine"]["health"] == "missing"
    assert "engine.sh" in checks["engine"]["fix"]
    assert "kernel" in checks  # the rest is looked at all the same


@pytest.mark.engine
def test_what_killed_runs_left_is_seen_and_removed_and_nothing_else(
    engine: Engine, base_image: str, small_limits: RunLimits, tmp_path: Path
) -> None:
    from test_container import profile_of

    image = engine.image_id(base_image) or ""

    def made(owner: str, *, started: bool) -> str:
        profile = profile_of(small_limits, "import time; time.sleep(600)")
        arguments = container_arguments(profile, image)
        arguments["Labels"][OWNER_LABEL] = owner
        name = f"humdial-{profile.role}-{profile.nonce}"
        container = engine.api.create_container_from_config(arguments, name)["Id"]
        if started:
            engine.api.start(container)
        return name

    killed = subprocess.run([sys.executable, "-c", OWNER_OF_ITS_OWN], stdout=subprocess.PIPE, text=True, check=True)
    left = made(killed.stdout, started=True), made(killed.stdout, started=False)
    under_way = made(this_process(), started=False)  # as between its creation and its start
    elsewhere = made("another-machine." + this_process().split(".", 1)[1], started=False)
    unnamed = made("", started=False)
    # Somebody else's container of an image that imitates our labels.
    stranger = engine.api.create_container_from_config(
        {"Image": image, "Cmd": ["true"], "Labels": {"humdial.nonce": "x", "humdial.role": "team"}}, "stranger"
    )["Id"]
    try:
        before = {each.name: each.owner for each in left_containers(engine)}
        assert [before[name] for name in left] == [Owner.GONE, Owner.GONE]
        assert [before[name] for name in (under_way, elsewhere, unnamed)] == [Owner.WORKS, Owner.UNSEEN, Owner.UNSEEN]
        assert "stranger" not in {each.name for each in left_containers(engine)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        said = execute(shown("how-to/organisers.md", "humdial clean"), tmp_path, {**os.environ, "PATH": path})
        assert all(f"removed {name}" in said for name in left) and all(
            f"kept {name}" in said for name in (elsewhere, unnamed)
        )
        after = {each.name for each in left_containers(engine)}
        assert not after & set(left) and {under_way, elsewhere, unnamed} <= after
        assert engine.api.inspect_container(stranger)["Id"] == stranger
    finally:
        for container in (stranger, under_way, elsewhere, unnamed):
            engine.api.remove_container(container, force=True)


def test_a_process_is_told_from_a_later_one_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = this_process()
    machine, number, boot, namespaces, process, started = mine.rsplit(".", 5)
    assert owner_of(mine) is Owner.WORKS
    assert owner_of(f"{machine}.{number}.{boot}.{namespaces}.{process}.{int(started) + 1}") is Owner.GONE
    for unseen in (
        "", "x", f"other.{number}.{boot}.{namespaces}.{process}.{started}",
        f"{machine}.1{number}.{boot}.{namespaces}.{process}.{started}",
        f"{machine}.{number}.{boot}.1.{process}.{started}", f"{machine}.{number}.{boot}.{namespaces}.{process}.",
    ):  # fmt: skip
        assert owner_of(unseen) is Owner.UNSEEN, unseen
    monkeypatch.setattr("platform.node", lambda: "a.b.example")  # dots in a machine's name
    assert owner_of(this_process()) is Owner.WORKS
    for machine_id, of_an_earlier_boot in (("f00d", Owner.GONE), ("", Owner.UNSEEN)):
        (tmp_path / "machine-id").write_text(machine_id)
        monkeypatch.setattr(owner, "_MACHINE", tmp_path / "machine-id")
        mine = this_process()
        assert owner_of(mine) is Owner.WORKS
        assert owner_of(mine.replace(boot, "earlier-boot")) is of_an_earlier_boot
    hidden = tmp_path / "proc"  # as with hidepid: this process is there, and not to be seen
    (hidden / "self").mkdir(parents=True)
    (hidden / "self/ns").symlink_to("/proc/self/ns")
    (hidden / "sys").symlink_to("/proc/sys")
    monkeypatch.setattr(owner, "_PROCESSES", hidden)
    assert owner_of(mine) is Owner.UNSEEN
    monkeypatch.undo()
    child = subprocess.Popen([sys.executable, "-c", OWNER_OF_ITS_OWN], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    label = child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert owner_of(label) is Owner.GONE  # ended, and nobody has asked how
    child.communicate()
    assert owner_of(label) is Owner.GONE


def test_a_folder_of_a_killed_preflight_is_left_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    (tmp_path / "preflight").mkdir()
    with _work_folder(tmp_path / "preflight"):
        assert left_probes() == []
    label = subprocess.run([sys.executable, "-c", OWNER_OF_ITS_OWN], capture_output=True, text=True, check=True).stdout
    left = tmp_path / f"preflight/probe-{label}-abc_1"
    left.mkdir()
    assert left_probes() == [left]


@pytest.mark.engine
def test_what_a_killed_harness_left_is_found_by_its_nonce(
    engine: Engine, base_image: str, small_limits: RunLimits
) -> None:
    """The container of a harness that dies by SIGKILL runs on. Here, where `humdial clean` is tried: it would find it
    too."""
    program = (
        "import sys; from test_container import profile_of; from harness.sandbox import *\n"
        "from harness.challenge.load import load_challenge; from dataclasses import replace\n"
        "profile = profile_of(load_challenge().run_limits, 'import time; time.sleep(600)')\n"
        "limits = replace(profile.limits, memory_bytes=1 << 28, cpus=1.0)\n"
        "profile = replace(profile, limits=limits)\n"
        "print(profile.nonce, flush=True)\n"
        f"run_container(connect(), profile, {engine.image_id(base_image)!r}, deadline_s=600, "
        "watch=lambda: print('running', flush=True))\n"
    )
    harness = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
    )
    assert harness.stdout is not None
    nonce = harness.stdout.readline().strip()
    assert harness.stdout.readline() == "running\n"
    harness.kill()
    harness.wait()
    harness.stdout.close()
    (left,) = engine.api.containers(filters={"label": f"humdial.nonce={nonce}"})
    assert remove_leftovers(engine, nonce="0" * 16) == []
    assert remove_leftovers(engine, nonce=nonce) == [left["Id"]]
    assert engine.api.containers(all=True, filters={"label": f"humdial.nonce={nonce}"}) == []


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="a mount needs root")
def test_a_store_is_left_only_when_its_process_is_gone(engine: Engine, tmp_path: Path) -> None:
    """Also without a container, as before a run has one and after: another process may be about to read it."""
    with output_store(tmp_path / "used" / "output", 1 << 20, 10) as store:
        assert store.path not in left_stores(engine)
        (store.path / "verdicts.jsonl").write_text("kept")
        clean(engine)
        assert (store.path / "verdicts.jsonl").read_text() == "kept"
    killed = tmp_path / "killed" / ".work" / "output"
    program = (
        "import os, sys; from pathlib import Path; from harness.sandbox import output_store\n"
        "with output_store(Path(sys.argv[1]), 1 << 20, 10): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(killed)], check=False).returncode == 9
    try:
        assert killed in left_stores(engine)
        held = os.open(tmp_path / "killed", os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        assert killed not in left_stores(engine)
        os.close(held)
        clean(engine)
        assert not killed.exists()
    finally:
        release(killed)
