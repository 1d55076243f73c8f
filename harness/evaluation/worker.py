"""Does one task. Runs in a worker process, on this machine or elsewhere, and never writes to the journal."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import traceback
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import FrameType

from harness.challenge.load import load_challenge, override_limits
from harness.challenge.spec import Challenge
from harness.documents.codec import canonical_json, jsonl, pretty_json, to_plain
from harness.documents.verdict import Verdict
from harness.errors import HarnessError, MachineError, UsageError
from harness.evaluation.asking import ask_judge
from harness.evaluation.judge_image import ensure_judge
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.preparing import Terms, prepare
from harness.evaluation.run import LOG, SUBMISSION, usable_references
from harness.evaluation.tasks import (
    Failure,
    Judged,
    JudgeTask,
    Prepared,
    PrepareTask,
    Ran,
    Result,
    RunTask,
    Setting,
    Task,
)
from harness.evaluation.verdict_store import VerdictStore
from harness.judge.canaries import canaries_to_ask, canary_requests, check_canaries
from harness.resources import cache_dir
from harness.sandbox import connect, containers_of, run_team_image
from harness.submission import References

_PR_SET_PDEATHSIG = 1
_at_work = False


class Stopped(KeyboardInterrupt):
    """SIGTERM to a worker: its container is stopped on the way out."""


def begin() -> None:
    """The start of a worker process: it ends with its parent, even a killed one; Ctrl-C is the parent's to handle."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)


def _stop(signum: int, frame: FrameType | None) -> None:
    if not _at_work:
        os._exit(143)  # nothing to clean up, nobody to tell
    raise Stopped


def execute(task: Task, setting: Setting) -> Result:
    """Do ``task``. Whatever goes wrong on our side comes back as a Failure; Ctrl-C and SIGTERM go on."""
    global _at_work  # noqa: PLW0603 - a signal handler can ask nothing else
    _at_work = True
    try:
        with containers_of(setting.run):
            if isinstance(task, RunTask):
                return _run(task, setting)
            return _prepare(task, setting) if isinstance(task, PrepareTask) else _judge(task, setting)
    except HarnessError as error:
        # A full or broken disk is not tried again: what is on it after that is unknown.
        again = isinstance(error, MachineError) and error.code not in ("E_PIN", "I_DISK")
        return Failure(error.code, str(error), error.hint, again, error.detail)
    except OSError as error:
        what = f"the {task.stage} of {task.team} could not use its files: {error.strerror}"
        hint = "free space, then run the same command again: it goes on from here"
        return Failure("I_DISK", what, hint, False, repr(error))
    except Exception as error:  # noqa: BLE001 - one team's trouble must not end the others; it is shown with its trace
        return Failure("I_WORKER", f"a task failed: {error!r}", "report this with the team's folder", False,
                       traceback.format_exc())  # fmt: skip
    finally:
        _at_work = False


def _run(task: RunTask, setting: Setting) -> Ran:
    challenge = _challenge(setting)
    limits = override_limits(challenge.run_limits, setting.limits)
    inputs = _references(setting.inputs, setting.challenge, need_labels=False)
    # What else is in there tells the sandbox which container a killed worker left, and what it left mounted.
    shutil.rmtree(task.work / SUBMISSION, ignore_errors=True)
    task.work.mkdir(parents=True, exist_ok=True)
    record, _ = run_team_image(
        connect(), task.image, inputs.dialogues, inputs.root, task.work, challenge, limits,
        seed=f"{setting.seed}-{task.team}", gpu=task.gpu,
    )  # fmt: skip
    log = task.work / LOG
    return Ran(pretty_json(to_plain(record)), log.read_bytes() if log.is_file() else b"")


def _prepare(task: PrepareTask, setting: Setting) -> Prepared:
    gold = _references(setting.references, setting.challenge, need_labels=True)
    _emptied(task.work)
    return prepare(
        task.source,
        task.team,
        gold.dialogues,
        _challenge(setting),
        Terms(setting.track, setting.policy, setting.profile, setting.fingerprint, gold.layout),
        task.work,
        collected=task.collected,
    )


def _judge(task: JudgeTask, setting: Setting) -> Judged:
    challenge = _challenge(setting)
    profile = challenge.judges[setting.profile]
    store = VerdictStore(cache_dir() / "verdicts", setting.fingerprint)
    reading = challenge.policies[setting.policy].reply_reading
    canaries = canary_requests(challenge, profile, setting.fingerprint, reading)
    known = {} if setting.fresh else store.known([*task.requests, *canaries.values()], challenge)
    waiting = [request for request in task.requests if (request.item, request.sample) not in known]
    planted = canaries_to_ask(canaries, known, profile, busy=bool(waiting))
    asked: dict[tuple[str, int], Verdict] = {}
    if waiting or planted:
        judge = ensure_judge(challenge, profile)
        if judge.fingerprint != setting.fingerprint:
            raise UsageError(
                f"the judge {profile.id} is built from other parts than when the run was begun: it is now "
                f"{judge.fingerprint[:19]}, and was {setting.fingerprint[:19]}",
                code="E_PIN",
                hint="go on with the humdial that began the run and its `humdial judge build`, or begin a new run in "
                "another folder with this judge",
            )
        _emptied(task.work)
        _link_all(task.audio, task.work / "audio")
        waits = [*waiting, *planted]
        asked = ask_judge(waits, judge, challenge, profile, task.work, reading=reading, gpu=task.gpu)
        known |= asked
        shutil.rmtree(task.work, ignore_errors=True)
    marked = {name: known[each.item, each.sample] for name, each in canaries.items()}
    check_ = check_canaries(challenge, profile, marked)
    if check_ is None or check_.passed:
        store.keep(asked.values())  # what a drifting judge said is not used again
    wanted = {(request.item, request.sample) for request in task.requests}
    canaries_said = {name: to_plain(verdict) for name, verdict in marked.items()}
    return Judged(
        verdict_lines(known[place] for place in wanted),
        canonical_json({"check": to_plain(check_), "verdicts": canaries_said}),
    )


def _challenge(setting: Setting) -> Challenge:
    challenge = load_challenge(setting.challenge)
    if setting.challenge_digest not in (None, challenge.digest):
        raise UsageError(
            f"the challenge spec here is {challenge.digest[:19]}, the run was begun with {setting.challenge_digest}",
            code="E_PIN",
            hint="restore the spec, or begin a new run",
        )
    return challenge


@lru_cache(maxsize=1)
def code_digest() -> str:
    """``sha256:…`` over this package's own program files: which humdial made a number."""
    root = Path(__file__).resolve().parent.parent
    every = (each for kind in ("*.py", "*.toml") for each in root.rglob(kind))
    files = sorted(each for each in every if each.relative_to(root).parts[0] != "_data")  # only a wheel has it
    total = hashlib.sha256()
    for file in files:
        total.update(canonical_json([file.relative_to(root).as_posix(), file_digest(file)]))
    return "sha256:" + total.hexdigest()


def verdict_lines(verdicts: Iterable[Verdict]) -> bytes:
    """Verdicts as JSONL, by item and sample."""
    ordered = sorted(verdicts, key=lambda verdict: (verdict.item, verdict.sample))
    return jsonl([to_plain(verdict) for verdict in ordered])


@lru_cache(maxsize=4)
def _references(folder: Path, challenge: str, *, need_labels: bool) -> References:
    return usable_references(folder, load_challenge(challenge), need_labels=need_labels)


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _link_all(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir() if source.is_dir() else ():
        try:
            (target / file.name).hardlink_to(file)
        except OSError:  # another file system
            shutil.copy2(file, target / file.name)
