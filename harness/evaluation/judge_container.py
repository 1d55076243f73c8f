"""One run of the judge image: the team's sandbox, other folders. Every use of the judge image goes through here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.challenge.spec import RunLimits
from harness.resources import cache_dir
from harness.sandbox import (
    ContainerOutcome,
    Engine,
    Mount,
    Profile,
    effective_limits,
    new_nonce,
    output_store,
    run_container,
    seccomp_text,
    take_file,
)

_FILES = 64
GPUS = "HUMDIAL_JUDGE_GPUS"  # the devices that a judge may use: UUIDs with commas between
BYTECODE = "/bytecode"
_OFFLINE = (("HOME", "/tmp"), ("HF_HUB_OFFLINE", "1"), ("TRANSFORMERS_OFFLINE", "1"))


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """How it went, where its output lies until the block ends, and its log (for organisers)."""

    outcome: ContainerOutcome
    output: Path
    log: Path
    cap_bytes: int

    def take(self, name: str) -> bytes | None:
        """One output file, as careful as with a team's; None when it is not there or is no plain file."""
        return take_file(self.output, name, self.cap_bytes)

    def said(self) -> str:
        """The end of what it printed, or why it did not start."""
        printed = self.log.read_text("utf-8", "replace")[-4000:] if self.log.is_file() else ""
        return printed or self.outcome.start_error


def bytecode_folder(image_id: str) -> Path:
    """Where an image's bytecode lies, once it is made."""
    return cache_dir() / "judge-bytecode" / image_id.removeprefix("sha256:")[:24]


@contextmanager
def image_program(
    engine: Engine,
    image_id: str,
    program: tuple[str, ...],
    *,
    output_bytes: int,
    folders: Mapping[str, Path] | None = None,
    deadline_s: float = 900,
) -> Iterator[JudgeRun]:
    """Run a program of ours in the judge image, apart from any judging. Raises as judge_run."""
    with tempfile.TemporaryDirectory(prefix="humdial-image-") as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        limits = load_challenge().run_limits
        with judge_run(
            engine,
            image_id,
            folders or {},
            work,
            limits,
            output_bytes=output_bytes,
            deadline_s=deadline_s,
            program=program,
        ) as run:
            yield run


@contextmanager
def judge_run(
    engine: Engine,
    image_id: str,
    folders: Mapping[str, Path],
    work: Path,
    limits: RunLimits,
    *,
    output_bytes: int,
    deadline_s: float,
    program: tuple[str, ...] = (),
    gpu: str | None = None,
) -> Iterator[JudgeRun]:
    """Run ``image_id`` with ``folders`` (target → folder) mounted read-only and a capped /output below ``work``.

    ``program`` replaces the image's own: the first word is the entry point. ``gpu`` is a device that it gets. The
    image's bytecode is mounted where it has been made (judge_bytecode.py). Raises MachineError (I_ENGINE, I_DISK).
    """
    lowered, _ = effective_limits(limits, engine.host())
    lowered = replace(lowered, output_bytes=min(lowered.output_bytes, output_bytes), output_inodes=_FILES)
    log = work / "judge.log"
    compiled = bytecode_folder(image_id)
    if compiled.is_dir():
        folders = {**folders, BYTECODE: compiled}
    with output_store(work / "output", lowered.output_bytes, lowered.output_inodes) as store:
        profile = Profile(
            role="judge",
            nonce=new_nonce(),
            limits=lowered,
            mounts=(
                *(Mount(folder.resolve(), target) for target, folder in folders.items()),
                Mount(store.path.resolve(), "/output", read_only=False),
            ),
            environment=(*_OFFLINE, *((("PYTHONPYCACHEPREFIX", BYTECODE),) if compiled.is_dir() else ())),
            seccomp=seccomp_text(),
            entrypoint=program[:1] or None,
            command=program[1:] if program else None,
            user_id=store.user_id,
            gpu=gpu or os.environ.get(GPUS) or None,
        )
        watch = store.over_the_cap if store.mode == "watched" else None
        outcome = run_container(engine, profile, image_id, deadline_s=deadline_s, log_path=log, watch=watch)
        yield JudgeRun(outcome, store.path, log, lowered.output_bytes)
