"""sandbox/engine.sh in a checkout of its own: a private engine for as long as somebody needs it, and no longer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.sandbox import connect

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("dockerd", path="/usr/sbin:/usr/bin") is None, reason="needs root"
    ),
    pytest.mark.skipif(
        Path("/var/run/docker.sock").exists(), reason="a system Docker answers: there is no private one"
    ),
]
CHECKOUT = Path(__file__).resolve().parents[2]
Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """Run engine.sh of a fresh checkout for the user with this process id."""
    (tmp_path / "sandbox").mkdir()
    shutil.copy(CHECKOUT / "sandbox" / "engine.sh", tmp_path / "sandbox")
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}

    def run(*arguments: str, owner: int = os.getpid(), **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "sandbox" / "engine.sh", *arguments],
            env={**environment, "ENGINE_OWNER": str(owner), "PYTHON": sys.executable, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    yield run
    shutil.rmtree(tmp_path / ".cache" / "engine" / "users", ignore_errors=True)
    run("stop")


def test_it_ends_with_its_last_user(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    other = subprocess.Popen(["sleep", "600"])
    assert "starting a private engine" in script("start").stderr
    assert "already there" in script("start", owner=other.pid).stderr
    line = script("env").stdout
    assert line.startswith("export DOCKER_HOST=unix://") and line.count("\n") == 1
    address = line.strip().partition("=")[2]
    assert len(address.removeprefix("unix://")) < 60
    monkeypatch.setenv("DOCKER_HOST", address)
    connect().close()
    script("stop")
    connect().close()  # the other user still needs it
    other.kill()  # without saying so
    other.wait()
    assert "stopping" in script("stop").stderr
    with pytest.raises(MachineError):
        connect()
    assert script("env").returncode == 3
    assert script("stop").returncode == 0


def test_an_engine_that_answers_is_used_and_left_alone(script: Script) -> None:
    address = os.environ.get("DOCKER_HOST")
    if address is None:
        pytest.skip("no other engine runs")
    started = script("start", DOCKER_HOST=address)
    assert f"using the engine at {address}" in started.stderr
    assert script("env", DOCKER_HOST=address).stdout == f"export DOCKER_HOST={address}\n"
    script("stop", DOCKER_HOST=address)
    connect().close()


def test_with_runs_a_command_and_hands_on_its_exit_code(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    done = script("with", "sh", "-c", 'echo "$DOCKER_HOST"; exit 7')
    assert done.returncode == 7
    monkeypatch.setenv("DOCKER_HOST", done.stdout.strip())
    with pytest.raises(MachineError):
        connect()


def test_the_private_engine_has_no_network(script: Script) -> None:
    pulled = script("with", "timeout", "20", "docker", "pull", "-q", "hello-world")
    assert pulled.returncode not in (0, 124)


def test_wrong_usage(script: Script) -> None:
    assert script("sideways").returncode == 2
