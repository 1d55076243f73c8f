"""The hooks, installed and run by pre-commit itself in a team's repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import made
import pytest
import yaml
from installing import commit, forge, no_network, published
from shown import execute, shown

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.strip()


@pytest.fixture(scope="module")
def harness_at(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a team names as `repo` and `rev`: this checkout as it lies here, in one commit."""
    folder = published(tmp_path_factory.mktemp("published"))
    return folder, commit(folder)


def test_the_hook_stops_a_commit_that_is_not_valid(harness_at: tuple[Path, str], tmp_path: Path) -> None:
    """With the configuration and the command that the page on CI shows."""
    team = tmp_path / "team"
    made.write(team / "my-submission", made.submission())
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text("utf-8")
    (configuration,) = re.findall(r"```yaml\n(repos:.*?)```", page, re.DOTALL)
    both = yaml.safe_load(configuration.replace("COMMIT", harness_at[1]))
    both["repos"][0]["hooks"].append({"id": "humdial-validate-data", "args": ["dev"]})
    made.write(team / "dev", made.inputs(audio=True))
    (team / ".pre-commit-config.yaml").write_text(yaml.safe_dump(both), "utf-8")
    git(team, "init", "-q")
    environment = {**os.environ, **no_network(tmp_path), **forge(harness_at[0])}
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(tmp_path / "home")}

    git(team, "add", "-A", "-f")
    execute(shown("how-to/ci.md", "pre-commit run"), team, environment)
    (team / "my-submission" / "zh" / "task2.jsonl").write_bytes(b'\xef\xbb\xbf{"dialogue_id": NaN}\n')
    git(team, "add", "-A", "-f")
    command = [BIN / "pre-commit", "run", "--color", "never"]
    bad = subprocess.run(command, cwd=team, env=environment, capture_output=True, text=True, timeout=900)
    assert bad.returncode == 1
    assert bad.stdout.count("Failed") == 1 and bad.stdout.count("Passed") == 1
    assert "zh/task2.jsonl\n" in bad.stdout
    assert "E_JSON_BOM" in bad.stdout


def test_every_hook_names_a_command_that_exists() -> None:
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")):
        command = [BIN / "humdial", *hook["entry"].split()[1:], "--help"]
        assert subprocess.run(command, capture_output=True, timeout=300).returncode == 0
