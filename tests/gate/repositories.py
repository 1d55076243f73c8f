"""Real repositories: a main branch that collects submissions, and branches that hand something in."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

IDENTITY = {f"GIT_{who}_{what}": "someone@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class Repository:
    """A clone with a work tree."""

    root: Path

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=300, env=environment
        ).stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit(self) -> str:
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", "a step")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """main holds the first submissions of alpha and beta, a schema, a workflow and the list of teams; the branch `pull`
    is checked out and has nothing of its own yet."""
    made = Repository(tmp_path / "repository")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    made.write(
        {
            "submissions/alpha/1/zh/task2.jsonl": "{}\n",
            "submissions/beta/1/zh/task2.jsonl": "{}\n",
            "schemas/submission/v1.schema.json": "{}\n",
            ".github/workflows/check.yml": "on: pull_request\n",
            "teams.json": json.dumps({"alpha": ["alice"], "beta": ["bob"]}),
        }
    )
    made.commit()
    made.git("checkout", "-q", "-b", "pull")
    return made
