"""A shell that imitates a runner as far as the steps here need one: the environment files, `bash -eo pipefail`, and
expressions in `env`. It is not a runner: `uses` and permissions are not imitated, of `if` only what is used here."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass
class Shell:
    """Runs the `run` steps of a composite action or of a workflow's job in order; after one that failed only
    those that say `always()`."""

    action: Path
    workspace: Path
    temporary: Path
    inputs: dict[str, str]
    job: str = ""
    machine: dict[str, str] = field(default_factory=dict)  # what a runner's image has set
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    printed: str = ""
    summary: str = ""

    def run(self, *, skip: tuple[str, ...] = ()) -> int:
        """The exit code of the first step that failed, else 0."""
        failed = 0
        for number, step in enumerate(self._steps()):
            wanted = step.get("if", "")
            always = wanted == "always()"
            if "run" not in step or step["name"] in skip or (failed and not always):
                continue
            if wanted and not always and self.inputs[wanted.removeprefix("inputs.")] != "true":
                continue
            code = self._step(number, step)
            failed = failed or code
        return failed

    def _steps(self) -> list[dict[str, Any]]:
        found = yaml.safe_load(self.action.read_text("utf-8"))
        steps: list[dict[str, Any]] = found["jobs"][self.job]["steps"] if self.job else found["runs"]["steps"]
        return steps

    def _step(self, number: int, step: dict[str, Any]) -> int:
        files = {name: self.temporary / f"{name}-{number}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.touch()
        script = self.temporary / f"step-{number}.sh"
        script.write_text(step["run"], "utf-8")
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.temporary),
            "RUNNER_TEMP": str(self.temporary),
            "CI": "true",
            **self.machine,
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()},
            **{name: str(path) for name, path in files.items()},
            **{name: self._filled(value) for name, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            [
                "bash",
                "--noprofile",
                "--norc",
                "-e",
                *(["-o", "pipefail"] if step.get("shell") == "bash" else []),
                str(script),
            ],
            cwd=self.workspace,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        self.printed += done.stdout + done.stderr
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        found = re.findall(r"^(\w+)<<(\w+)\n(.*?)^\2$", files["GITHUB_OUTPUT"].read_text("utf-8"), re.M | re.S)
        self.outputs[step.get("id", "")] = {name: value.rstrip("\n") for name, _, value in found}
        return done.returncode

    def _filled(self, value: str) -> str:
        def one(match: re.Match[str]) -> str:
            parts = match[1].split(".")
            if parts[0] == "inputs":
                return self.inputs[parts[1]]
            if parts[0] == "steps":
                return self.outputs[parts[1]].get(parts[3], "")
            assert match[1] == "github.action_path"
            return str(self.action.parent)

        return re.sub(r"\$\{\{ (\S+) \}\}", one, value)
