"""`humdial evaluate`: begin a run directory or go on with it, do what is left, publish the table or say why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.challenge.load import spec_document
from harness.challenge.spec import Challenge
from harness.documents.codec import pretty_json, to_plain
from harness.documents.leaderboard import Leaderboard
from harness.documents.progress import EventName
from harness.documents.run_review import RunFlag
from harness.errors import MachineError, Refused, UsageError
from harness.evaluation.beginning import (
    EvaluateOptions,
    hearing_terms,
    pins_of,
    ready_judge,
    refuse_deaf,
    refuse_inside,
    refuse_unknown_images,
    settled,
)
from harness.evaluation.evaluate import Campaign
from harness.evaluation.executors import Executor
from harness.evaluation.executors.local import LocalExecutor
from harness.evaluation.journal import find
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.progress import Progress, Watcher
from harness.evaluation.publishing import NO_COHORT, Renderers, refusals, table_of
from harness.evaluation.run_directory import (
    JOURNAL,
    LEDGER,
    PINS,
    REVIEW,
    RunDirectory,
    open_run,
    withdraw,
)
from harness.evaluation.run_files import restore_files
from harness.evaluation.run_io import RunIO, hook_from_environment
from harness.evaluation.run_review import review_run
from harness.evaluation.sides import Sides, read_sides
from harness.evaluation.standings import MADE_BY, PUBLISHED, fold
from harness.evaluation.tasks import Failure, Setting
from harness.evaluation.teams_file import Team, read_teams
from harness.evaluation.worker import code_digest
from harness.sandbox import connect
from harness.sandbox.leftovers import clean_run


@dataclass(frozen=True, slots=True)
class Outcome:
    """``unfinished``: teams that our side could not bring to an end, and why; a resume is needed. ``refusals``: why
    the table is not published. ``board`` is the published table, ``flags`` what a person should look at beside it."""

    unfinished: Mapping[str, Failure]
    refusals: tuple[str, ...]
    board: Leaderboard | None
    flags: tuple[RunFlag, ...] = ()


def evaluate_challenge(
    teams_file: Path,
    inputs: Path,
    references: Path,
    out: Path,
    challenge: Challenge,
    options: EvaluateOptions,
    renderers: Renderers,
    watcher: Watcher,
) -> Outcome:
    """Do everything that ``out`` does not have yet, and publish when nothing is missing.

    Raises UsageError (E_TEAMS, E_TEAM_DUP, E_GOLD, E_CONFIG, E_PIN, E_SCHEMA_VER, E_USAGE), MachineError (E_LOCKED,
    E_FS, I_DISK and what the engine raises) and Refused (I_CORRUPT).
    """
    if options.profile not in challenge.judges:
        raise UsageError(
            f"the challenge {challenge.id} has no judge profile {options.profile!r}",
            code="E_CONFIG",
            hint=f"pass one of: {', '.join(sorted(challenge.judges))}",
        )
    begun = (out / PINS).is_file()
    if not begun:
        refuse_inside(out, inputs, references)
    teams = read_teams(teams_file.resolve(), challenge, options.track, settled=settled(out))
    track = teams[0].track
    sides = read_sides(inputs, references, challenge, track)
    refuse_deaf(challenge, track, options.hearing, sides.languages)
    if not begun and options.executor == "local":
        refuse_unknown_images(teams)
    judge = ready_judge(challenge, options.profile, watcher, begun=begun)
    hearing = hearing_terms(challenge, track, options.hearing, judge, watcher)
    spec = spec_document(options.challenge)
    pins = pins_of(challenge, options, track, judge, teams, spec, sides, hearing, inputs)
    out = out.resolve()  # workers may have another working directory
    with open_run(out, RunIO(out, hook_from_environment()), pins, (sides.gold, spec)) as run:
        if options.executor == "local":  # Ray's nodes have engines of their own
            _remove_orphans(run, teams)
        _say_who_works(run)
        for name, journal in ((JOURNAL, run.journal), (LEDGER, run.ledger)):
            if journal.torn_bytes:
                watcher.note(f"{name} ended in {journal.torn_bytes} bytes of no record, kept beside it as .torn")
        setting = Setting(
            challenge=_for_workers(options.challenge), inputs=inputs.resolve(), references=references.resolve(),
            profile=options.profile, policy=options.policy, track=track, fingerprint=judge.fingerprint,
            run=run.pins.nonce, seed=run.pins.seed, fresh=options.fresh,
            limits=_absolute(options.limits), challenge_digest=challenge.digest, hearing=hearing,
            gold=run.pins.gold, inputs_digest=run.pins.inputs,
            recogniser_weights=_absolute(options.hearing.recogniser_weights),
            transcripts=_absolute(options.hearing.transcripts),
        )  # fmt: skip
        with (
            _executor(setting, out, options, watcher.note) as (executor, judges),
            closing(Progress(run.io, run.path, watcher, options.jobs, judges)) as progress,
        ):
            campaign = Campaign(run, teams, challenge, executor, progress, options.jobs, judges, options.gpus)
            _work(campaign)
            outcome = _publish(run, campaign, challenge, renderers, sides)
            progress.tell(*_ending(outcome))
        return outcome


def _remove_orphans(run: RunDirectory, teams: tuple[Team, ...]) -> None:
    """Containers that a killed process of this run left behind: a team's, or the judge's. What is finished left none;
    who has no engine and no image may not need one."""
    if run.journal.records and not all(state.final for state in fold(teams, run.journal.records).values()):
        images = any(attempt.image for team in teams for attempt in team.attempts)
        with nullcontext() if images else suppress(MachineError):
            clean_run(connect(), run.pins.nonce, run.path)


def _say_who_works(run: RunDirectory) -> None:
    """The first record binds the pins to the journal; another follows when another humdial goes on."""
    maker = {"pins": file_digest(run.path / PINS), "harness_version": __version__, "code": code_digest()}
    before = [record.data for record in find(run.journal.records, MADE_BY)]
    if not before or before[-1] != maker:
        run.journal.append((MADE_BY, maker))


@contextmanager
def _executor(
    setting: Setting, folder: Path, options: EvaluateOptions, tell: Callable[[str], None]
) -> Iterator[tuple[Executor, int]]:
    """Where tasks are done, and how many judges work at once: one for each GPU, one without any."""
    executor: Executor
    if options.executor == "ray":
        from harness.evaluation.executors.cluster import RayExecutor

        executor = cluster = RayExecutor(setting, folder, options.jobs + 1, options.ray_address, tell)
        judges = max(1, cluster.gpus)
    else:
        judges = max(1, len(options.gpus))
        executor = LocalExecutor(setting, options.jobs + judges)
    done = False
    try:
        yield executor, judges
        done = True
    finally:
        executor.close(stop=not done)


def _work(campaign: Campaign) -> None:
    done = False
    try:
        campaign.work()
        done = True
    finally:
        if not done:
            with suppress(MachineError):  # a full disk: what stopped the work is what is raised
                campaign.progress.tell("stopped", "stopped; the same command goes on from here")
    if campaign.writer.tries:  # an engine that went away took back no container; without one there is none to take back
        with suppress(MachineError):
            clean_run(connect(), campaign.run.pins.nonce, campaign.run.path)
    restore_files(campaign.run, campaign.states)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.resolve()


def _for_workers(challenge: str) -> str:
    """A spec's path must mean the same in another process; a name does."""
    path = Path(challenge)
    return str(path.resolve()) if path.is_file() else challenge


def _publish(
    run: RunDirectory, campaign: Campaign, challenge: Challenge, renderers: Renderers, sides: Sides
) -> Outcome:
    withdraw(run.path, run.io)  # an older table must not stand for a run that is refused now
    unfinished = {name: why for name, why in campaign.writer.failures.items() if campaign.states[name].scored is None}
    try:
        why = tuple(refusals(run.path, run.pins, run.blobs, campaign.states, run.ledger.records, challenge))
    except Refused:
        _keep_published(run, {})
        raise
    if unfinished or why:
        _keep_published(run, {})
        return Outcome(unfinished, why, None)
    try:
        board = table_of(run.path, challenge, run.pins.track, campaign.states)
    except Refused as error:
        if error.code != NO_COHORT:
            raise
        _keep_published(run, {})
        return Outcome({}, (str(error),), None)
    review = review_run(campaign.states, run.blobs, sides.given, challenge)
    files = {name: render(board) for name, render in renderers.items()} | {REVIEW: pretty_json(to_plain(review))}
    _keep_published(run, files)
    for name, data in files.items():
        run.place(run.path / name, data)
    return Outcome({}, (), board, review.flags)


def _keep_published(run: RunDirectory, files: Mapping[str, bytes]) -> None:
    """Before a table is shown it is stored, and a record names it: one that is withdrawn, or that another takes the
    place of, is not lost. No ``files``: none is shown from now on."""
    entry = {name: run.blobs.put(data) for name, data in files.items()}
    before = find(run.journal.records, PUBLISHED)
    if entry != (before[-1].data if before else {}):
        run.journal.append((PUBLISHED, entry))


def _ending(outcome: Outcome) -> tuple[EventName, str]:
    if outcome.board is not None:
        return "published", f"published, {len(outcome.board.rows)} rows"
    if outcome.unfinished:
        return "unfinished", f"{len(outcome.unfinished)} teams are unfinished on our side; run the same command again"
    return "refused", "; ".join(outcome.refusals)
