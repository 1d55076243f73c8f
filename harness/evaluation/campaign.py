"""`humdial evaluate`: begin a run directory or go on with it, do what is left, publish the table or say why not."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness import __version__
from harness.challenge.load import override_limits, spec_document
from harness.challenge.spec import Challenge
from harness.documents.codec import pretty_json, to_plain
from harness.documents.duplex import HearingTerms
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import Leaderboard
from harness.documents.progress import EventName
from harness.documents.report import JudgeRef
from harness.documents.run_review import RunFlag
from harness.errors import MachineError, Refused, UsageError
from harness.evaluation.duplex_timing import pair_rules
from harness.evaluation.evaluate import Campaign
from harness.evaluation.executors import Executor
from harness.evaluation.executors.local import LocalExecutor
from harness.evaluation.journal import find
from harness.evaluation.judge_image import JudgeImage, ensure_judge, show_judge
from harness.evaluation.judge_lock import file_digest, lock_differences
from harness.evaluation.known_digest import known_digest
from harness.evaluation.progress import Progress, Watcher
from harness.evaluation.publishing import NO_COHORT, Renderers, refusals, table_of
from harness.evaluation.recognising import ready_recogniser
from harness.evaluation.run_directory import PINS, REVIEW, SCHEMA_VERSION, Pins, RunDirectory, open_run
from harness.evaluation.run_files import restore_files
from harness.evaluation.run_io import RunIO, hook_from_environment
from harness.evaluation.run_review import review_run
from harness.evaluation.sides import Sides, read_sides
from harness.evaluation.standings import MADE_BY, PUBLISHED, fold
from harness.evaluation.tasks import Failure, Setting
from harness.evaluation.teams_file import Team, read_teams
from harness.evaluation.worker import code_digest
from harness.hearing.voice_activity import voice_activity_version
from harness.judge import prompt_digests
from harness.sandbox import connect, remove_leftovers


@dataclass(frozen=True, slots=True)
class HearingOptions:
    """For a full-duplex track. ``recogniser`` is a profile of the spec, None for nobody; its weights lie in
    ``recogniser_weights`` unless they come in a package. ``transcripts`` holds ready words, a folder a team.
    ``delay_from`` is ``words`` or ``voice``."""

    recogniser: str | None = None
    recogniser_weights: Path | None = None
    transcripts: Path | None = None
    delay_from: str = "words"


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What a caller of `humdial evaluate` may choose. ``challenge`` is the spec's name or path, for the workers;
    ``limits`` a file that replaces some of its limits; ``fresh`` asks the judge even for what it has judged before;
    ``executor`` is ``local`` or ``ray``. ``gpus`` are devices of this machine (for ``local``; Ray knows its own).
    ``hearing`` is for a full-duplex track."""

    challenge: str
    profile: str
    policy: str
    track: str | None
    jobs: int
    limits: Path | None = None
    fresh: bool = False
    executor: str = "local"
    ray_address: str = "local"
    gpus: tuple[str, ...] = ()
    hearing: HearingOptions = field(default_factory=HearingOptions)


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
    teams = read_teams(teams_file.resolve(), challenge, options.track)
    track = teams[0].track
    sides = read_sides(inputs, references, challenge, track)
    _refuse_deaf(challenge, track, options.hearing, sides.languages)
    judge = _judge(challenge, options.profile, watcher, begun=(out / PINS).is_file())
    hearing = _hearing(challenge, track, options.hearing, judge, watcher)
    spec = spec_document(options.challenge)
    pins = _pins(challenge, options, track, judge, teams, spec, sides, hearing, inputs)
    out = out.resolve()  # workers may have another working directory
    with open_run(out, RunIO(out, hook_from_environment()), pins, (sides.gold, spec)) as run:
        if options.executor == "local":  # Ray's nodes have engines of their own
            _remove_orphans(run, teams)
        _say_who_works(run)
        setting = Setting(
            challenge=_for_workers(options.challenge), inputs=inputs.resolve(), references=references.resolve(),
            profile=options.profile, policy=options.policy, track=track, fingerprint=judge.fingerprint,
            run=run.pins.nonce, seed=run.pins.seed, fresh=options.fresh,
            limits=_absolute(options.limits), challenge_digest=challenge.digest, hearing=hearing,
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


def _judge(challenge: Challenge, profile: str, watcher: Watcher, *, begun: bool) -> JudgeImage:
    """The judge that is built already, described without an engine; else it is built now. A run that is not ``begun``
    does not begin with one that the first question would build anew."""
    try:
        judge = show_judge(challenge, challenge.judges[profile])
        stale = [] if begun else lock_differences(judge.lock, challenge.judges[profile])
        if not stale:
            return judge
        watcher.note(f"the judge {profile} was built from other parts ({stale[0]}): it is built again")
    except UsageError as error:
        if error.code != "E_JUDGE_MISSING":
            raise
    return ensure_judge(challenge, challenge.judges[profile], progress=watcher.note)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.resolve()


def _refuse_deaf(challenge: Challenge, track: str, options: HearingOptions, languages: Collection[str]) -> None:
    """Before a judge is built or an image runs: words are needed in every language, for the labels too."""
    rules = pair_rules(challenge, track)
    if rules is None:
        return
    known = rules.recognisers.get(options.recogniser or "", {})
    lacking = sorted(set(languages) - set(known))
    if options.transcripts is None and lacking and (options.recogniser is None or known):
        who = f"the recogniser {options.recogniser} does not know" if options.recogniser else "nobody writes down"
        raise UsageError(
            f"{who} what is said in {', '.join(lacking)}",
            code="E_CONFIG",
            hint="give ready words to --transcripts, a folder a team, or pass another --recogniser",
        )


def _hearing(
    challenge: Challenge, track: str, options: HearingOptions, judge: JudgeImage, watcher: Watcher
) -> HearingTerms | None:
    """How a full-duplex track is heard; None for another. The recogniser runs in the judge's image."""
    rules = pair_rules(challenge, track)
    if rules is None:
        return None
    fingerprint = ""
    if options.recogniser is not None:
        weights = options.recogniser_weights
        fingerprint = ready_recogniser(rules, options.recogniser, judge, weights, watcher.note).fingerprint
    return HearingTerms(
        delay_from=options.delay_from,
        recogniser=options.recogniser or "",
        fingerprint=fingerprint,
        voice_activity=voice_activity_version(),
    )


def _pins(
    challenge: Challenge,
    options: EvaluateOptions,
    track: str,
    judge: JudgeImage,
    teams: tuple[Team, ...],
    spec: bytes,
    sides: Sides,
    hearing: HearingTerms | None,
    inputs: Path,
) -> Pins:
    profile = challenge.judges[options.profile]
    return Pins(
        schema_version=SCHEMA_VERSION,
        harness_version=__version__,
        track=track,
        policy=options.policy,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        judge=JudgeRef(profile.id, judge.fingerprint, profile.official, profile.not_judged),
        judge_inputs=judge.fingerprint_inputs,
        spec=hashlib.sha256(spec).hexdigest(),
        gold=hashlib.sha256(sides.gold).hexdigest(),
        gold_layout=sides.layout,
        inputs=known_digest(inputs),
        hearing=hearing,
        limits=to_plain(override_limits(challenge.run_limits, options.limits)),
        prompts=prompt_digests(),
        teams=tuple(team.plain() for team in teams),
        nonce=secrets.token_hex(8),
        seed=secrets.token_hex(8),
    )


def _remove_orphans(run: RunDirectory, teams: tuple[Team, ...]) -> None:
    """Containers that a killed process of this run left behind: a team's, or the judge's. What is finished left none;
    who has no engine and no image may not need one."""
    if run.journal.records and not all(state.final for state in fold(teams, run.journal.records).values()):
        images = any(attempt.image for team in teams for attempt in team.attempts)
        with nullcontext() if images else suppress(MachineError):
            remove_leftovers(connect(), run=run.pins.nonce)


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
            remove_leftovers(connect(), run=campaign.run.pins.nonce)
    restore_files(campaign.run, campaign.states)


def _for_workers(challenge: str) -> str:
    """A spec's path must mean the same in another process; a name does."""
    path = Path(challenge)
    return str(path.resolve()) if path.is_file() else challenge


def _publish(
    run: RunDirectory, campaign: Campaign, challenge: Challenge, renderers: Renderers, sides: Sides
) -> Outcome:
    for name in (*(f"leaderboard.{ending}" for ending in renderers), REVIEW):
        run.io.unlink(run.path / name)  # an older table must not stand for a run that is refused now
    unfinished = {name: why for name, why in campaign.writer.failures.items() if campaign.states[name].scored is None}
    try:
        why = tuple(refusals(run.path, run.pins, run.blobs, campaign.states))
    except Refused:
        _keep_tables(run, {})
        raise
    if unfinished or why:
        _keep_tables(run, {})
        return Outcome(unfinished, why, None)
    try:
        board = table_of(run.path, challenge, run.pins.track)
    except Refused as error:
        if error.code != NO_COHORT:
            raise
        _keep_tables(run, {})
        return Outcome({}, (str(error),), None)
    tables = {f"leaderboard.{ending}": render(board) for ending, render in renderers.items()}
    _keep_tables(run, tables)
    for name, data in tables.items():
        run.place(run.path / name, data)
    review = review_run(campaign.states, run.blobs, sides.given, challenge)
    run.place(run.path / REVIEW, pretty_json(to_plain(review)))
    return Outcome({}, (), board, review.flags)


def _keep_tables(run: RunDirectory, tables: Mapping[str, bytes]) -> None:
    """Before a table is shown it is stored, and a record names it: one that is withdrawn, or that another takes the
    place of, is not lost. No ``tables``: none is shown from now on."""
    entry = {name: run.blobs.put(data) for name, data in tables.items()}
    before = find(run.journal.records, PUBLISHED)
    if entry != (before[-1].data if before else {}):
        run.journal.append((PUBLISHED, entry))


def _ending(outcome: Outcome) -> tuple[EventName, str]:
    if outcome.board is not None:
        return "published", f"published, {len(outcome.board.rows)} rows"
    if outcome.unfinished:
        return "unfinished", f"{len(outcome.unfinished)} teams are unfinished on our side; run the same command again"
    return "refused", "; ".join(outcome.refusals)
