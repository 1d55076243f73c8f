"""The sample challenge and its team images, built once a session as the demo builds them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import Bench, Warm, make_bench
from pair_bench import PairBench, make_pair_bench
from pair_set import make_set, only

from harness.sandbox import Engine

CHECKOUT = Path(__file__).resolve().parents[2]
Humdial = Callable[..., subprocess.CompletedProcess[str]]


def _build(*arguments: str | Path) -> None:
    build = [sys.executable, CHECKOUT / "examples" / "build.py", *arguments]
    subprocess.run([*map(str, build), "--cache", str(CHECKOUT / ".cache" / "speech")], check=True)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """teams/ and submissions/ of the sample challenge, with inputs/ and references/."""
    out = tmp_path_factory.mktemp("challenge") / "sample"
    _build("sample", "--out", out, "--dialogues-per-task", "2")
    return out


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dev folder that serves as inputs and as references: one dialogue a task and language, since judging is slow."""
    out = tmp_path_factory.mktemp("dev") / "dev"
    _build("data", "--out", out, "--seed", "11", "--dialogues-per-task", "1")
    return out


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good folder submission that answers ``dev``."""
    out = tmp_path_factory.mktemp("paper") / "paper"
    _build("submission", "--out", out, "--seed", "11", "--dialogues-per-task", "1")
    return out


@pytest.fixture(scope="session")
def humdial() -> Humdial:
    """``humdial(*arguments)`` as a user's process; never a traceback."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "harness", *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=1800)
        assert "Traceback" not in result.stderr + result.stdout
        return result

    return call


@pytest.fixture(scope="session")
def team_images(engine: Engine, base_image: str, sample: Path) -> dict[str, str]:
    """Team name to image id, built from the sample's Dockerfiles with no network."""
    images = {}
    for context in sorted((sample / "teams").iterdir()):
        tag = f"humdial/sample-{context.name}:test"
        subprocess.run(
            ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag, context],
            check=True,
            capture_output=True,
        )
        image_id = engine.image_id(tag)
        assert image_id is not None
        images[context.name] = image_id
    return images


@pytest.fixture(scope="session")
def runs(dev: Path, team_images: dict[str, str], humdial: Humdial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one `humdial run` result a team."""
    out = tmp_path_factory.mktemp("runs")
    for team, image in team_images.items():
        result = humdial("run", image, "--inputs", dev, "--out", out / team)
        assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="session")
def duplex_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """inputs/ with a key, and team/, the build context of a full-duplex participant."""
    out = tmp_path_factory.mktemp("duplex") / "sample"
    _build("duplex", "--out", out)
    return out


@pytest.fixture(scope="session")
def challenge_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`make_set`. Not to be changed."""
    return make_set(tmp_path_factory.mktemp("track2"))


@pytest.fixture(scope="session")
def few(challenge_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same set with two of its inputs: an interruption and a pause. Not to be changed."""
    return only(challenge_set, tmp_path_factory.mktemp("few") / "set", "test-000001", "test-000007")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Evaluations that begin in a moment."""
    server = Warm()
    yield server
    server.close()


@pytest.fixture(scope="session")
def bench(dev: Path, paper: Path, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A challenge of one text task and four teams whose verdicts are all stored."""
    return make_bench(tmp_path_factory.mktemp("evaluate"), dev, paper, warm)


@pytest.fixture(scope="session")
def run(bench: Bench) -> Path:
    """The finished evaluation of ``bench``. Not to be changed."""
    out = bench.folder / "run"
    code, said = bench.evaluate(out)
    assert code == 0, said
    return out


@pytest.fixture(scope="session")
def pairs(few: Path, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> PairBench:
    """A full-duplex challenge and four teams whose words and verdicts are all stored."""
    return make_pair_bench(tmp_path_factory.mktemp("pairs"), few, warm)
