"""`humdial run`: stage label-free inputs, run the image, collect, and check the outputs again as untrusted."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.finding import Finding, Findings, ValidationReport
from harness.documents.reference import ReferenceDialogue
from harness.documents.run_record import RunRecord
from harness.errors import UsageError
from harness.evaluation.team_notice import team_notice
from harness.sandbox import PairFiles, connect, run_team_image
from harness.submission import PairInputs, References, check, has_pairs, read_pairs, read_references

SUBMISSION = "submission"
RECORD = "run.json"
VALIDATION = "validation.json"
NOTICE = "team.json"
LOG = "container.log"
WORK = ".work"
_FIRST = 3
_OURS = frozenset({RECORD, VALIDATION, NOTICE, SUBMISSION, LOG})


@dataclass(frozen=True, slots=True)
class RunResult:
    """``record`` says how the container did, ``validation`` what its outputs are worth (None when there are none)."""

    record: RunRecord
    validation: ValidationReport | None


def run_image(
    image: str,
    inputs: Path,
    out: Path,
    challenge: Challenge,
    *,
    limits: RunLimits,
    seed: str,
    gpu: str | None = None,
    runtime: str | None = None,
) -> RunResult:
    """Run one team image and leave run.json, validation.json, submission/ and team.json in ``out``; the last is all
    that the team may be told when the inputs are secret.

    ``runtime`` goes before what the site chose. The outputs are checked as untrusted.
    Raises UsageError when the inputs are wrong or ``out`` holds something else, MachineError when our side fails.
    """
    work = _work(inputs, challenge)
    with prepared_out(out):
        record, findings = run_team_image(
            connect(runtime=runtime),
            image,
            work.items,
            work.root,
            out,
            challenge,
            limits,
            seed=seed,
            gpu=gpu,
        )
        validation = None
        if record.state == "completed":
            validation = _validate_outputs(out / SUBMISSION, work, challenge, findings)
            if any(finding.severity == "error" for finding in validation.findings):
                record = replace(record, state="output_invalid", fault="submission")
        write_atomic(out / RECORD, pretty_json(to_plain(record)))
        write_atomic(out / NOTICE, pretty_json(to_plain(team_notice(record, validation))))
        if validation is not None:
            write_atomic(out / VALIDATION, pretty_json(to_plain(validation)))
    return RunResult(record, validation)


@dataclass(frozen=True, slots=True)
class _Work:
    """What an image is run on: dialogues, or the pairs of a full-duplex track."""

    root: Path
    items: Sequence[ReferenceDialogue] | PairFiles
    pairs: PairInputs | None = None


def _work(inputs: Path, challenge: Challenge) -> _Work:
    if challenge.duplex is None or not has_pairs(inputs, challenge):
        references = usable_references(inputs, challenge, need_labels=False)
        return _Work(references.root, references.dialogues)
    found = usable_pairs(inputs, challenge, challenge.duplex, need_key=False)
    return _Work(found.root, PairFiles(tuple(sorted(found.audio_s)), challenge.duplex), found)


def usable_pairs(folder: Path, challenge: Challenge, rules: DuplexRules, *, need_key: bool) -> PairInputs:
    """The organisers' side, or UsageError (E_GOLD) that lists the first problems: nothing runs on broken data."""
    inputs = read_pairs(folder, challenge, rules)
    errors = [finding for finding in inputs.findings if finding.severity == "error"]
    lacking = "it holds no inputs" if not inputs.audio_s else "it has no key.jsonl and no annotations"
    if errors or not inputs.audio_s or (need_key and not inputs.key):
        raise _broken(folder, errors, lacking)
    return inputs


def usable_references(folder: Path, challenge: Challenge, *, need_labels: bool) -> References:
    """The organisers' side, or UsageError (E_GOLD) that lists the first problems: nothing runs on broken data."""
    references = read_references(folder, challenge, need_labels=need_labels)
    errors = [finding for finding in references.findings if finding.severity == "error"]
    if errors or not references.dialogues:
        raise _broken(folder, errors, "it holds no dialogues")
    return references


def _broken(folder: Path, errors: Sequence[Finding], lacking: str) -> UsageError:
    first = "; ".join(f"{f.file or folder.name}:{f.line or 0} {f.message}" for f in errors[:_FIRST])
    return UsageError(
        f"{folder} cannot be used as inputs or references: {first or lacking}"
        + (f" and {len(errors) - _FIRST} more" if len(errors) > _FIRST else ""),
        code="E_GOLD",
        hint=f"`humdial validate --layout data {folder}` lists everything",
    )


@contextmanager
def prepared_out(out: Path) -> Iterator[None]:
    """An empty place for one run's results, held against a second run; results of an earlier run of ours are replaced.

    Raises UsageError (E_USAGE) rather than deleting what is not ours, when a run is under way there, or when the place
    cannot be had.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(out, f"cannot be used for results: {error.strerror}") from error
    try:
        _hold_and_empty(out, held)
        yield
    finally:
        os.close(held)


def _hold_and_empty(out: Path, held: int) -> None:
    try:
        # Two runs in one folder would take each other's outputs. The lock ends with its holder, also a killed one.
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        present = {entry.name for entry in out.iterdir()}
        # .work is the sandbox's; what a killed run left there it releases itself.
        strangers = present - _OURS - {WORK}
        if strangers:
            raise _unusable(out, f"holds other files ({min(strangers)!a})")
        # A run writes its log before its outputs: a submission without any trace of a run is somebody's own.
        if SUBMISSION in present and not present & {RECORD, LOG, WORK}:
            raise _unusable(out, f"holds a {SUBMISSION} that no run made")
        for name in present & _OURS:
            _delete(out / name)
    except BlockingIOError as error:
        raise _unusable(out, "is in use by another run") from error
    except OSError as error:
        raise _unusable(out, f"cannot be used for results: {error.strerror}") from error


def _unusable(out: Path, why: str) -> UsageError:
    return UsageError(f"{out} {why}", code="E_USAGE", hint="pass a new folder to --out")


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _validate_outputs(
    folder: Path, work: _Work, challenge: Challenge, collected: tuple[Finding, ...]
) -> ValidationReport:
    """The collected outputs through the same strict readers as a folder, plus what the collector found."""
    if isinstance(work.items, PairFiles):
        track = work.items.rules.track
        outcome = check(folder, challenge, layout="seed", track=track, pairs=work.pairs, from_image=True)
    else:
        outcome = check(folder, challenge, layout="seed", expected=work.items, from_image=True)
    findings = Findings()
    findings.extend(outcome.report.findings)
    # What the collector found in the outputs; findings about the machine or the run stand in the record.
    findings.extend([each for each in collected if each.code[2:].startswith("OUT_") or each.code.startswith("F_")])
    kept, left_out = findings.result()
    return replace(outcome.report, findings=kept, truncated=outcome.report.truncated + left_out, subject=SUBMISSION)
