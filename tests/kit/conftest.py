"""A small dev set, made as the docs say, and a kit beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kit_dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dev folder with labels: 12 dialogues, 2 a task and language."""
    out = tmp_path_factory.mktemp("kit-dev") / "dev"
    build = [sys.executable, CHECKOUT / "examples" / "build.py", "data", "--out", out, "--seed", "5"]
    cache = CHECKOUT / ".cache" / "speech"
    subprocess.run([*map(str, build), "--dialogues-per-task", "2", "--cache", str(cache)], check=True)
    return out


@pytest.fixture
def environment() -> dict[str, str]:
    """That of a reader, in which `humdial` is the one of this checkout; the engine's address is known by now."""
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "120"}


@pytest.fixture(scope="session")
def call() -> Call:
    """``call(*command, cwd=…)`` as a user's process with `humdial` on the path; never a traceback."""

    def run(*command: str | Path, **keywords: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, env=environment, timeout=600, **keywords
        )  # type: ignore[call-overload]
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run
