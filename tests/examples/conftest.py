"""The sample challenge is built once a session, by the command that `make demo` runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))


@pytest.fixture(scope="session")
def build() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run examples/build.py as a user would."""

    def run(*arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(EXAMPLES / "build.py"), *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == expect, result.stdout + result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def speech_cache() -> Path:
    """Sentences spoken for one test are there for the next, of other rooms too."""
    return EXAMPLES.parent / ".cache" / "speech"


@pytest.fixture(scope="session")
def sample(
    tmp_path_factory: pytest.TempPathFactory,
    speech_cache: Path,
    build: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """The whole sample: inputs, references, teams, submissions."""
    out = tmp_path_factory.mktemp("sample") / "sample"
    build("sample", "--out", out, "--cache", speech_cache)
    return out


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """The inputs as an image gets them: opaque ids, another order."""
    out = tmp_path_factory.mktemp("staged")
    for source in sorted((sample / "inputs").glob("*/*.jsonl")):
        folder = out / source.parent.name
        rows = []
        for row in map(json.loads, source.read_text("utf-8").splitlines()):
            row["dialogue_id"] = hashlib.sha256(row["dialogue_id"].encode()).hexdigest()[:12]
            for turn in row["turns"]:
                name = f"{source.stem}/{row['dialogue_id']}_{turn['turn_id']}.wav"
                (folder / source.stem).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source.parent / turn["split_audio_file"], folder / name)
                turn["split_audio_file"] = name
            rows.append(row)
        rows.sort(key=lambda row: row["dialogue_id"])
        (folder / source.name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return out


@pytest.fixture(scope="session")
def run_team(tmp_path_factory: pytest.TempPathFactory, sample: Path, staged: Path) -> Callable[[str], tuple[Path, str]]:
    """Run a team's program as its image would, but outside a container: output folder and standard output."""
    done: dict[str, tuple[Path, str]] = {}

    def run(team: str) -> tuple[Path, str]:
        if team not in done:
            out = tmp_path_factory.mktemp(f"output-{team}")
            environment = {
                "PATH": os.environ["PATH"],
                "HUMDIAL_INPUT": str(staged),
                "HUMDIAL_OUTPUT": str(out),
                "HUMDIAL_TASKS": "task2,task3,task4",
                "HUMDIAL_LANGUAGES": "zh,en",
            }
            # -I -S: nothing but the standard library and the team's own folder, as in the base image.
            start = f"import sys, runpy; sys.path.insert(0, {str(sample / 'teams' / team)!r}); "
            start += f"runpy.run_path({str(sample / 'teams' / team / 'main.py')!r}, run_name='__main__')"
            command = [sys.executable, "-I", "-S", "-c", start]
            result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
            assert result.returncode == 0, result.stderr
            done[team] = (out, result.stdout)
        return done[team]

    return run
