"""`humdial judge` from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_judge_lock import checkpoint


def humdial(*arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"HUMDIAL_CACHE": str(cache)} if cache else {})}
    command = [sys.executable, "-m", "harness", "judge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_was_not_built_is_a_callers_error_with_the_next_step(command: str, tmp_path: Path) -> None:
    done = humdial(command, cache=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "E_JUDGE_MISSING" in done.stderr
    assert "humdial judge build small" in done.stderr


@pytest.mark.parametrize("command", ["build", "show", "verify"])
def test_an_unknown_profile_is_named(command: str, tmp_path: Path) -> None:
    done = humdial(command, "large", cache=tmp_path)
    assert done.returncode == 2
    assert "'large'" in done.stderr
    assert "qwen3-omni, qwen3-omni-vllm, small" in done.stderr


def test_weights_that_are_not_whole_or_of_another_revision_are_named(tmp_path: Path) -> None:
    """Before an engine is looked for, since 60 GB are read first of all for what is wrong with them."""
    cut, other = checkpoint(tmp_path / "cut"), checkpoint(tmp_path / ("a" * 40))
    shard = cut / "model-2.safetensors"
    shard.write_bytes(shard.read_bytes()[:-3])
    for folder, why in ((cut, "its header says"), (other, "of revision aaaa")):
        done = humdial("build", "qwen3-omni", "--weights", str(folder), cache=tmp_path / "cache")
        assert (done.returncode, done.stdout) == (3, "")
        assert why in done.stderr
        assert "E_WEIGHTS" in done.stderr
    gone = humdial("build", "qwen3-omni", cache=tmp_path / "cache")
    assert gone.returncode == 3
    assert "not there" in gone.stderr


@pytest.mark.engine
@pytest.mark.judge
def test_build_show_and_verify_agree(judge: object) -> None:
    built, shown, verified = humdial("build", "-q"), humdial("show", "-f", "json"), humdial("verify")
    assert (built.returncode, shown.returncode, verified.returncode) == (0, 0, 0), built.stderr
    document = json.loads(shown.stdout)
    assert document["image_id"] == built.stdout.strip()
    assert document["official"] is False
    assert {"fingerprint", "profile", "weights", "prompts", "settings"} <= document.keys()
    text = humdial("show").stdout
    assert document["fingerprint"] in text
    assert "not official" in text
