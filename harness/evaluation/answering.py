"""What a judge says: first what this very judge has said before, then what it is asked now, known answers among it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.report import CanaryCheck
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.duplex_timing import pair_rules
from harness.evaluation.known_answers import check_known, known_requests
from harness.evaluation.verdict_store import VerdictStore, place_of
from harness.judge.canaries import canaries_to_ask
from harness.judge.verdicts import Place
from harness.resources import cache_dir


@dataclass(frozen=True, slots=True)
class JudgeTerms:
    """Who judges, by which rules: ``fingerprint`` is the judge's, ``reading`` how replies are read (`reading_of`).
    ``fresh`` asks the judge even for what it has said before."""

    challenge: Challenge
    profile: JudgeProfile
    fingerprint: str
    track: str
    reading: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """``verdicts`` has one for every request, by item and sample; ``known`` those of the known-answer items by name,
    and ``check`` holds them against their bands: None when the profile has none."""

    verdicts: dict[Place, Verdict]
    known: dict[str, Verdict]
    check: CanaryCheck | None


def reading_of(challenge: Challenge, track: str, policy: str) -> str:
    """How replies are read: as the policy says, and labels of full-duplex outputs strictly under every policy."""
    return "strict" if pair_rules(challenge, track) is not None else challenge.policies[policy].reply_reading


def answers(
    requests: Sequence[JudgeRequest],
    terms: JudgeTerms,
    ask: Callable[[Sequence[JudgeRequest]], dict[Place, Verdict]],
    progress: Callable[[str], None],
) -> Answers:
    """Every request's verdict; ``ask`` puts what is not known before the judge, and is not called when all is.

    Raises what ``ask`` raises, and MachineError (I_DISK).
    """
    challenge, profile = terms.challenge, terms.profile
    planted = known_requests(challenge, profile, terms.fingerprint, terms.track, terms.reading)
    store = VerdictStore(cache_dir() / "verdicts", terms.fingerprint)
    found = {} if terms.fresh else store.known([*requests, *planted.values()], challenge)
    waiting = [request for request in requests if place_of(request) not in found]
    if len(waiting) < len(requests):
        progress(f"{len(requests) - len(waiting)} replies were judged before by this very judge and are used again")
    beside = canaries_to_ask(planted, found, profile, busy=bool(waiting))
    asked: dict[Place, Verdict] = {}
    if waiting or beside:
        progress(f"judging {len(waiting)} replies and {len(beside)} known-answer items with the judge {profile.id}")
        asked = ask([*waiting, *beside])
    found |= asked
    known = {name: found[place_of(request)] for name, request in planted.items()}
    check = check_known(challenge, profile, terms.track, known)
    if check is None or check.passed:
        store.keep(asked.values())  # what a drifting judge said is not used again
    return Answers({place_of(request): found[place_of(request)] for request in requests}, known, check)
