"""The hooks, installed and run by pre-commit itself in a team's repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import made
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.strip()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a team names as `repo` and `rev`: this checkout as it lies here, in one commit."""
    folder = tmp_path_factory.mktemp("published")
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate").splitlines()
    needed = ("harness/", "schemas/", "prompts/", "canaries/", "sandbox/", "requirements/")
    for name in listed:
        if (name.startswith(needed) or "/" not in name) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "all")
    return folder, git(folder, "rev-parse", "HEAD")


def test_the_hook_stops_a_commit_that_is_not_valid(published: tuple[Path, str], tmp_path: Path) -> None:
    team = tmp_path / "team"
    made.write(team / "submission", made.submission())
    hook = {"id": "humdial-validate"}
    source = {"repo": str(published[0]), "rev": published[1], "hooks": [hook]}
    (team / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [source]}), "utf-8")
    git(team, "init", "-q")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "PIP_NO_COMPILE": "1"}

    def run() -> subprocess.CompletedProcess[str]:
        git(team, "add", "-A", "-f")
        command = [PRE_COMMIT, "run", "--color", "never"]
        return subprocess.run(command, cwd=team, env=environment, capture_output=True, text=True, timeout=900)

    good = run()
    assert good.returncode == 0, good.stdout + good.stderr
    assert "Passed" in good.stdout
    (team / "submission" / "zh" / "task2.jsonl").write_bytes(b'\xef\xbb\xbf{"dialogue_id": NaN}\n')
    bad = run()
    assert bad.returncode == 1
    assert "zh/task2.jsonl\n" in bad.stdout
    assert "E_JSON_BOM" in bad.stdout


def test_every_hook_names_a_command_that_exists() -> None:
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")):
        command = [Path(sys.executable).with_name("humdial"), *hook["entry"].split()[1:], "--help"]
        assert subprocess.run(command, capture_output=True, timeout=300).returncode == 0
