"""Does one task. Runs in a worker process, on this machine or elsewhere, and never writes to the journal."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import traceback
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType

from harness.challenge.load import load_challenge, override_limits
from harness.challenge.spec import Challenge
from harness.documents.codec import canonical_json, jsonl, pretty_json, to_plain
from harness.documents.reference import ReferenceDialogue
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import HarnessError, MachineError, UsageError
from harness.evaluation.answering import JudgeTerms, answers, reading_of
from harness.evaluation.asking import ask_judge
from harness.evaluation.duplex_timing import duplex_rules
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.known_digest import known_digest
from harness.evaluation.pair_asking import AskTerms
from harness.evaluation.pair_hearing import Ears, hear_pairs, prepare_pairs
from harness.evaluation.preparing import Terms, prepare
from harness.evaluation.recognising import Recogniser, ready_recogniser
from harness.evaluation.run import LOG, SUBMISSION, usable_pairs, usable_references
from harness.evaluation.sides import gold_bytes
from harness.evaluation.stored_pairs import pair_gold_bytes
from harness.evaluation.tasks import (
    Failure,
    Heard,
    HearTask,
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
from harness.hearing.voice_activity import voice_activity_version
from harness.judge.verdicts import Place
from harness.sandbox import PairFiles, connect, containers_of, effective_limits, require_room, run_team_image
from harness.submission import PairInputs, References

_PR_SET_PDEATHSIG = 1
_at_work = False


class Stopped(KeyboardInterrupt):
    """SIGTERM to a worker: its container is stopped on the way out."""


def begin(parent: int) -> None:
    """The start of a worker process: it ends with its ``parent`` (a process id), even a killed one; Ctrl-C is the
    parent's to handle."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was killed before it could be followed
        os._exit(143)
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
            return _do(task, setting)
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


def _do(task: Task, setting: Setting) -> Result:
    if isinstance(task, RunTask):
        return _run(task, setting)
    if isinstance(task, PrepareTask):
        return _prepare(task, setting)
    return _hear(task, setting) if isinstance(task, HearTask) else _judge(task, setting)


def _run(task: RunTask, setting: Setting) -> Ran:
    challenge = _challenge(setting)
    _same_inputs(setting)
    limits = override_limits(challenge.run_limits, setting.limits)
    items, root = _inputs(setting)
    # What else is in there tells the sandbox which container a killed worker left, and what it left mounted.
    shutil.rmtree(task.work / SUBMISSION, ignore_errors=True)
    task.work.mkdir(parents=True, exist_ok=True)
    engine = connect()
    most, _ = effective_limits(limits, engine.host())
    require_room(task.work, most.output_bytes, most.output_inodes)
    record, _ = run_team_image(
        engine, task.image, items, root, task.work, challenge, limits,
        seed=f"{setting.seed}-{task.team}", gpu=task.gpu,
    )  # fmt: skip
    log = task.work / LOG
    return Ran(pretty_json(to_plain(record)), log.read_bytes() if log.is_file() else b"")


def _prepare(task: PrepareTask, setting: Setting) -> Prepared:
    _emptied(task.work)
    if setting.hearing is not None:
        return prepare_pairs(task, _pair_gold(setting), _terms(setting))
    gold = _gold(setting)
    return prepare(
        task.source,
        task.team,
        gold.dialogues,
        _challenge(setting),
        Terms(setting.track, setting.policy, setting.profile, setting.fingerprint, gold.layout),
        task.work,
        collected=task.collected,
    )


def _hear(task: HearTask, setting: Setting) -> Heard:
    assert setting.hearing is not None  # only such a run has these tasks
    _emptied(task.work)
    ready = partial(_recogniser, setting) if setting.hearing.recogniser else None
    if voice_activity_version() != setting.hearing.voice_activity:
        raise UsageError(
            f"{voice_activity_version()} is installed, the run was begun with {setting.hearing.voice_activity}",
            code="E_PIN",
            hint="install that version on every machine of the run",
        )
    words = setting.transcripts / task.words if setting.transcripts is not None else None
    if task.others is None:
        _same_inputs(setting)
    return hear_pairs(task, _pair_gold(setting), _terms(setting), Ears(setting.inputs, words, ready))


def _recogniser(setting: Setting) -> Recogniser:
    """The one that is pinned. Raises UsageError (E_PIN) when it is made of other parts here."""
    challenge, hearing = _challenge(setting), setting.hearing
    assert hearing is not None
    rules, judge = duplex_rules(challenge), _pinned_judge(challenge, setting)
    found = ready_recogniser(rules, hearing.recogniser, judge, setting.recogniser_weights, lambda _: None)
    if found.fingerprint != hearing.fingerprint:
        raise UsageError(
            f"the recogniser {hearing.recogniser} has other parts than when the run was begun",
            code="E_PIN",
            hint="restore its weights, or begin a new run in another folder",
        )
    return found


def _pinned_judge(challenge: Challenge, setting: Setting) -> JudgeImage:
    judge = ensure_judge(challenge, challenge.judges[setting.profile])
    if judge.fingerprint != setting.fingerprint:
        raise UsageError(
            f"the judge {setting.profile} is built from other parts than when the run was begun: it is now "
            f"{judge.fingerprint[:19]}, and was {setting.fingerprint[:19]}",
            code="E_PIN",
            hint="go on with the humdial that began the run and its `humdial judge build`, or begin a new run in "
            "another folder with this judge",
        )
    return judge


def _judge(task: JudgeTask, setting: Setting) -> Judged:
    challenge = _challenge(setting)
    profile = challenge.judges[setting.profile]
    reading = reading_of(challenge, setting.track, setting.policy)

    def ask(requests: Sequence[JudgeRequest]) -> dict[Place, Verdict]:
        judge = _pinned_judge(challenge, setting)
        _emptied(task.work)
        _link_all(task.audio, task.work / "audio")
        asked = ask_judge(requests, judge, challenge, profile, task.work, reading=reading, gpu=task.gpu)
        shutil.rmtree(task.work, ignore_errors=True)
        return asked

    terms = JudgeTerms(challenge, profile, setting.fingerprint, setting.track, reading, setting.fresh)
    said = answers(task.requests, terms, ask, lambda _: None)
    known = {name: to_plain(verdict) for name, verdict in said.known.items()}
    return Judged(
        verdict_lines(said.verdicts.values()), canonical_json({"check": to_plain(said.check), "verdicts": known})
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


@lru_cache(maxsize=4)
def _pairs(folder: Path, challenge: str, *, need_key: bool) -> PairInputs:
    spec = load_challenge(challenge)
    return usable_pairs(folder, spec, duplex_rules(spec), need_key=need_key)


@lru_cache(maxsize=2)
def _gold(setting: Setting) -> References:
    found = _references(setting.references, setting.challenge, need_labels=True)
    _same("references", setting.gold, hashlib.sha256(gold_bytes(found)).hexdigest())
    return found


@lru_cache(maxsize=2)
def _pair_gold(setting: Setting) -> PairInputs:
    found = _pairs(setting.references, setting.challenge, need_key=True)
    _same("references", setting.gold, hashlib.sha256(pair_gold_bytes(found)).hexdigest())
    return found


def _same_inputs(setting: Setting) -> None:
    if setting.inputs_digest is not None:
        _same("inputs", setting.inputs_digest, known_digest(setting.inputs))


def _same(what: str, pinned: str | None, found: str) -> None:
    """Raises UsageError (E_PIN): somebody changed a folder of the organisers' while the run was under way."""
    if pinned not in (None, found):
        raise UsageError(
            f"the {what} are not those that the run was begun with",
            code="E_PIN",
            hint="restore them (a new file counts, an editor's backup too), or begin a new run in another folder",
        )


def _inputs(setting: Setting) -> tuple[Sequence[ReferenceDialogue] | PairFiles, Path]:
    """What images are run on, and where its audio lies."""
    if setting.hearing is None:
        inputs = _references(setting.inputs, setting.challenge, need_labels=False)
        return inputs.dialogues, inputs.root
    pairs = _pairs(setting.inputs, setting.challenge, need_key=False)
    return PairFiles(tuple(sorted(pairs.audio_s)), duplex_rules(_challenge(setting))), pairs.root


def _terms(setting: Setting) -> AskTerms:
    challenge = _challenge(setting)
    profile = challenge.judges[setting.profile]
    return AskTerms(challenge, duplex_rules(challenge), profile, setting.fingerprint, setting.policy)


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
