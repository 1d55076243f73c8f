"""What an evaluation is begun with: who takes part, who judges and listens, and what is refused before anything is
pinned."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness import __version__
from harness.challenge.load import override_limits
from harness.challenge.spec import Challenge
from harness.documents.codec import to_plain
from harness.documents.duplex import HearingTerms
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef
from harness.errors import HarnessError, MachineError, UsageError
from harness.evaluation.duplex_timing import pair_rules
from harness.evaluation.judge_image import JudgeImage, ensure_judge, show_judge
from harness.evaluation.judge_lock import lock_differences
from harness.evaluation.known_digest import known_digest
from harness.evaluation.progress import Watcher
from harness.evaluation.recognising import ready_recogniser
from harness.evaluation.run_directory import SCHEMA_VERSION, Pins
from harness.evaluation.sides import Sides
from harness.evaluation.stored_run import read_run
from harness.evaluation.teams_file import Team
from harness.hearing.voice_activity import voice_activity_version
from harness.judge import prompt_digests
from harness.sandbox import connect


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


def ready_judge(challenge: Challenge, profile: str, watcher: Watcher, *, begun: bool) -> JudgeImage:
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


def refuse_inside(out: Path, *given: Path) -> None:
    """A run that changes what it was begun with could never go on."""
    for folder in given:
        if out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"the run directory {out} lies inside of {folder}",
                code="E_USAGE",
                hint="pass an --out outside of the inputs and the references",
            )


def settled(out: Path) -> frozenset[str]:
    """The teams of the run at ``out``, if there is one, of whose hand-ins nothing is needed any more."""
    try:
        return frozenset(name for name, state in read_run(out).states.items() if state.final)
    # None, or one that opening it says more about; of pins that were changed by hand nothing may be as it should.
    except (HarnessError, LookupError, TypeError, ValueError, AttributeError):
        return frozenset()


def refuse_unknown_images(teams: tuple[Team, ...]) -> None:
    """Before anything is pinned: a mistyped image would be one for the whole run. Without an engine nobody can tell."""
    images = {(team.name, each.image) for team in teams for each in team.attempts if each.image is not None}
    named = sorted((name, image) for name, image in images if not Path(image).is_absolute())
    if not named:
        return
    with suppress(MachineError), closing(connect()) as engine:
        unknown = [f"{name}: the engine has no image {image}" for name, image in named if not engine.image_id(image)]
        if unknown:
            raise UsageError(
                "; ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""),
                code="E_TEAMS",
                hint="pull or load them, or correct the list; nothing was begun",
            )


def refuse_deaf(challenge: Challenge, track: str, options: HearingOptions, languages: Collection[str]) -> None:
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


def hearing_terms(
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


def pins_of(
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
