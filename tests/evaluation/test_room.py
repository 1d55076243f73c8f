"""How many tasks of a stage go on at once, and that a GPU is for one container at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.challenge.load import load_challenge
from harness.cli.main import cli
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef
from harness.evaluation.evaluate import Campaign
from harness.evaluation.progress import Progress
from harness.evaluation.run_directory import Pins, open_run
from harness.evaluation.run_io import RunIO
from harness.evaluation.tasks import Failure, PrepareTask, Result, Task
from harness.evaluation.teams_file import Attempt, Team


class Counting:
    """An executor that does nothing: it fails every task, and notes what was under way together."""

    def __init__(self) -> None:
        self.running: dict[int, Task] = {}
        self.most: Counter[str] = Counter()
        self.shared: list[str] = []

    def submit(self, number: int, task: Task) -> None:
        self.running[number] = task
        for stage, count in Counter(each.stage for each in self.running.values()).items():
            self.most[stage] = max(self.most[stage], count)
        gpus = [each.gpu for each in self.running.values() if not isinstance(each, PrepareTask) and each.gpu]
        self.shared += [gpu for gpu, count in Counter(gpus).items() if count > 1]
        self.most["gpu"] = max(self.most["gpu"], len(gpus))

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        number = next(iter(self.running))
        del self.running[number]
        return [(number, Failure("I_WORKER", "never done", "", again=False))]

    def close(self, *, stop: bool) -> None:
        raise AssertionError("nobody closes it here")


class Nobody:
    """Looks away."""

    def note(self, text: str) -> None:
        """Nothing."""

    def event(self, event: object) -> None:
        """Nothing."""


def _most(folder: Path, jobs: int, gpus: tuple[str, ...]) -> Counter[str]:
    challenge = load_challenge()
    images = [Team(f"image-{n}", "track1", (Attempt(1, "sha256:0", None),)) for n in range(9)]
    folders = [Team(f"folder-{n}", "track1", (Attempt(1, None, folder),)) for n in range(9)]
    pins = Pins(
        schema_version=1, harness_version="0", track="track1", policy="strict",
        challenge=ChallengeRef(challenge.id, challenge.digest), judge=JudgeRef("small", "sha256:0", False),
        spec="", gold="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", gold_layout="seed",
        inputs="sha256:0", nonce="0", seed="0",
    )  # fmt: skip
    executor = Counting()
    with open_run(folder / "run", RunIO(folder / "run"), pins, (b"",)) as run:
        progress = Progress(run.io, run.path, Nobody(), jobs)
        campaign = Campaign(run, (*images, *folders), challenge, executor, progress, jobs, max(1, len(gpus)), gpus)
        assert len(campaign.work()) == 18
        progress.close()
    assert executor.shared == []
    return executor.most


@pytest.mark.parametrize("jobs", [1, 3])
def test_each_stage_has_its_bound(tmp_path: Path, jobs: int) -> None:
    most = _most(tmp_path, jobs, ())
    assert (most["run"], most["prepare"], most["gpu"]) == (jobs, jobs, 0)


def test_a_gpu_is_for_one_team_at_a_time(tmp_path: Path) -> None:
    most = _most(tmp_path, 4, ("GPU-a", "GPU-b"))
    assert (most["run"], most["gpu"]) == (2, 2)


def test_rays_gpus_are_rays_to_give(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("", "utf-8")
    given = [str(tmp_path / "teams.toml"), *(f"--{name}={tmp_path}" for name in ("inputs", "references", "out"))]
    done = CliRunner().invoke(cli, ["evaluate", *given, "--executor", "ray", "--gpu", "0"])
    assert done.exit_code == 2 and "--gpu" in done.output
