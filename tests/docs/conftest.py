"""What the readers of the pages have: a name in a page's ``<!-- commands: … -->`` puts something into its folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import duplex_set
import pytest
import showcase
from installing import environment_in, no_network, published, wheel

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
Environment = dict[str, str]
Give = Callable[[Path, Environment], None]


def _build(*arguments: str | Path) -> None:
    # As in tests/evaluation: the same sentences are spoken once, and the same replies are judged once.
    build = [
        sys.executable,
        CHECKOUT / "examples" / "build.py",
        *arguments,
        "--seed",
        "11",
        "--dialogues-per-task",
        "1",
    ]
    subprocess.run([*map(str, build), "--cache", str(CHECKOUT / ".cache" / "speech")], check=True)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``made("dev")``: one of the builder's folders, made once."""
    folder = tmp_path_factory.mktemp("made")

    def make(name: str) -> Path:
        if not (folder / name).exists():
            _build({"dev": "data", "submission": "submission"}[name], "--out", folder / name)
        return folder / name

    return make


def _teams(folder: Path, dev: Path) -> None:
    shutil.copytree(dev, folder / "references")
    (folder / "teams.toml").write_text('[[team]]\nname = "alpha"\ntrack = "track1"\nsubmission = "my-submission"\n')


def _broken(folder: Path, submission: Path) -> None:
    shutil.copytree(submission, folder / "broken")
    faulty = folder / "broken" / "en" / "task2.jsonl"
    faulty.write_text(faulty.read_text("utf-8").replace('"turn_id": 1', '"turn_id": 2', 1), "utf-8")


def _run(folder: Path) -> None:
    showcase.build(folder, 6)
    (folder / "raters").mkdir()
    (folder / "ratings.csv").rename(folder / "raters" / "all.csv")


def _train(folder: Path) -> None:
    """A dialogue of the training set in each language."""
    for language, turns in (("zh", 3), ("en", 5)):
        rows = [
            {"turn_id": n, "text": "…", "emotion": "sad", "split_audio_file": f"t/{n}.wav", "response_text": "I see."}
            for n in range(1, turns + 1)
        ]
        plain = {"dialogue_id": f"task2_{turns}_{language}_0001_0001", "turns": rows}
        path = folder / "train" / language / f"task2_{turns}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(plain) + "\n", "utf-8")


def _git(folder: Path) -> None:
    """A clone in which a branch hands in one new folder."""
    shell = """
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
    git init -q -b main . && echo '{"alpha": ["alice"]}' > teams.json && git add teams.json && git commit -q -m begin
    git update-ref refs/remotes/origin/main HEAD
    git checkout -q -b pull && mkdir -p submissions/alpha/1/zh && echo '{}' > submissions/alpha/1/zh/task2.jsonl
    git add submissions && git commit -q -m submit
    """
    subprocess.run(["bash", "-eu", "-c", shell], cwd=folder, check=True)


def _checkout(folder: Path) -> None:
    """What a checkout has, under the same names."""
    for path in CHECKOUT.iterdir():
        if path.name not in (".git", ".venv", ".cache"):
            (folder / path.name).symlink_to(path)


def _stream(folder: Path) -> None:
    """Inputs of two seconds: a stream lasts as long as they do."""
    (folder / "examples").symlink_to(CHECKOUT / "examples")
    place = folder / "dev" / "test" / "test-000001.wav"
    place.parent.mkdir(parents=True)
    samples = array("h", [8000 if number // 40 % 2 else -8000 for number in range(8000)])
    with wave.open(str(place), "wb") as wav:
        wav.setparams((1, 2, 16000, 0, "NONE", ""))
        wav.writeframes(samples.tobytes() + bytes(48000))


@pytest.fixture(scope="session")
def given(made: Callable[[str], Path], request: pytest.FixtureRequest) -> dict[str, Give]:
    """What a page may ask for. ``engine`` and ``judge`` are there when the page is tried; they put nothing anywhere."""

    def install(folder: Path, environment: Environment) -> None:
        """A checkout in the folder; `pip` and `python` are those of an empty virtual environment."""
        published(folder)
        environment |= no_network(folder.parent)
        environment["PATH"] = f"{environment_in(folder.parent / 'venv')}:{os.environ['PATH']}"

    def registry(folder: Path, environment: Environment) -> None:
        """pip finds this harness as if it were published, and everything that it needs."""
        environment |= no_network(folder.parent) | {"PIP_FIND_LINKS": str(wheel(folder.parent / "wheel").parent)}

    return {
        "dev": lambda folder, _: shutil.copytree(made("dev"), folder / "dev") and None,
        "submission": lambda folder, _: shutil.copytree(made("submission"), folder / "my-submission") and None,
        "broken": lambda folder, _: _broken(folder, made("submission")),
        "teams": lambda folder, _: _teams(folder, made("dev")),
        "run": lambda folder, _: _run(folder),
        "track2": lambda folder, _: duplex_set.build(folder),
        "train": lambda folder, _: _train(folder),
        "git": lambda folder, _: _git(folder),
        "stream": lambda folder, _: _stream(folder),
        "checkout": lambda folder, _: _checkout(folder),
        "install": install,
        "registry": registry,
        "engine": lambda *_: request.getfixturevalue("base_image") and None,
        "judge": lambda *_: request.getfixturevalue("judge") and None,
    }


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[tuple[Path, Environment]]:
    """A folder of one's own, and an environment in which `humdial` and `python` are those of this checkout."""
    folder = tmp_path / "reader"
    folder.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST"))},
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HUMDIAL_CHECKOUT": str(CHECKOUT),
        # What the kit's Makefile takes from outside: no registry of images is asked.
        "BASE_IMAGE": "humdial/base:local",
        "BUILD_FLAGS": "-q --network none --pull=false",
        "COLUMNS": "120",
    }
    yield folder, environment
