"""A team's scores once more from what a run keeps: the same or another policy, the same or a corrected spec."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.codec import from_plain
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import CanaryCheck, JudgeRef
from harness.documents.submission import Submission
from harness.documents.verdict import JudgeRequest
from harness.errors import Refused, UsageError
from harness.evaluation.judging import judge_item
from harness.evaluation.known_answers import check_known
from harness.evaluation.pair_listening import read_speech
from harness.evaluation.pair_words import counted_items
from harness.evaluation.preparing import read_requests, requests_lines
from harness.evaluation.standings import AttemptState, TeamState, choose
from harness.evaluation.stored_pairs import PairParts, asked_of
from harness.evaluation.stored_run import StoredRun
from harness.evaluation.stored_score import (
    Scored,
    canary_verdicts,
    pair_parts,
    score_stored,
    stored_gold,
    terms_of,
    tolerated,
    verdicts_of,
)
from harness.judge import judge_request
from harness.scoring import Key, plan_items
from harness.submission import PairInputs


@dataclass(frozen=True, slots=True)
class Rescored:
    """``scored`` is None when no hand-in counts; ``chosen`` is the one that does. ``requests`` are those that the
    plan asks for, ``missing`` how many of them have no stored verdict."""

    chosen: AttemptState | None
    scored: Scored | None
    requests: bytes
    missing: int


def rescore_team(run: StoredRun, state: TeamState, challenge: Challenge, policy: str) -> Rescored:
    """Score ``state`` from the stored hand-in and verdicts. Raises Refused (I_CORRUPT), UsageError (E_GOLD, E_PIN)."""
    state = _under(state, run.challenge, challenge)
    counted = choose(state, challenge)
    number = None if counted is None else counted["attempt"]
    if counted is None or number is None:
        return Rescored(None, None, b"", 0)
    chosen = state.attempt(number)
    terms = terms_of(run.pins, challenge, policy, judge_of(run, challenge))
    asked = state.requests(chosen)
    if asked is None:
        raise Refused(
            f"nobody listened to attempt {number} of {state.team.name}, which counts under this spec",
            code="E_NO_VERDICT",
            hint="evaluate with that spec into a new folder",
        )
    gold, stored = stored_gold(run.pins, run.blobs), read_requests(run.blobs.get(asked))
    if isinstance(gold, PairInputs):
        parts = pair_parts(state, chosen, stored, terms, run.blobs)
        _refuse_unheard(gold, parts, challenge, state)
        requests = asked_of(gold, parts, terms.asking).by_place()
    else:
        requests = _requests(run, gold, chosen, stored, challenge, policy)
    verdicts, _ = verdicts_of(state, run.blobs)
    settled = verdicts.keys() | tolerated(state, run.blobs, requests, terms)
    missing = sum((request.item, request.sample) not in settled for request in requests.values())
    canaries, late = canaries_of(run, state, challenge), bool(counted["late"])
    scored = score_stored(gold, terms, state, chosen, requests, verdicts, canaries, run.blobs, late=late)
    return Rescored(chosen, scored, requests_lines(requests), missing)


def _refuse_unheard(gold: PairInputs, parts: PairParts, challenge: Challenge, state: TeamState) -> None:
    """A spec may count an input that the run's own left out."""
    assert challenge.duplex is not None
    heard = read_speech(parts.speech)
    new = [item.file for item in counted_items(gold.key, challenge.duplex) if item.file not in heard]
    if new:
        raise Refused(
            f"nobody listened to {len(new)} outputs of {state.team.name} that count under this spec ({new[0]} first)",
            code="E_NO_VERDICT",
            hint="evaluate with that spec into a new folder",
        )


def judge_of(run: StoredRun, challenge: Challenge) -> JudgeRef:
    """The run's judge as ``challenge`` names it. Raises UsageError (E_PIN) when that is another judge."""
    pinned = run.pins.judge
    before, now = run.challenge.judges[pinned.profile], challenge.judges.get(pinned.profile)
    if now is None or (now.engine, now.settings) != (before.engine, before.settings):
        raise UsageError(
            f"the judge {pinned.profile} of this spec is not the one that gave the verdicts",
            code="E_PIN",
            hint="leave the judge as it is, or evaluate anew with the other one",
        )
    if run.pins.hearing is not None and _heard_by(run.challenge) != _heard_by(challenge):
        raise UsageError(
            "this spec hears the outputs otherwise (voice activity or recognisers)",
            code="E_PIN",
            hint="leave them as they are, or evaluate anew",
        )
    return replace(pinned, official=now.official, not_judged=now.not_judged)


def _heard_by(challenge: Challenge) -> object:
    rules = challenge.duplex
    return None if rules is None else (rules.voice_activity, rules.recognisers)


def canaries_of(run: StoredRun, state: TeamState, challenge: Challenge) -> CanaryCheck | None:
    """The stored marks of the known-answer items against the bands of ``challenge``."""
    marked = canary_verdicts(state, run.blobs)
    profile = challenge.judges[run.pins.judge.profile]
    return check_known(challenge, profile, run.pins.track, marked) if state.judged else None


def _requests(
    run: StoredRun,
    gold: Sequence[ReferenceDialogue],
    chosen: AttemptState,
    stored: Mapping[Key, JudgeRequest],
    challenge: Challenge,
    policy: str,
) -> dict[Key, JudgeRequest]:
    """What the judge would be asked now. Audio is known by the digest that it was asked with."""
    submission = from_plain(Submission, json.loads(run.blobs.get((chosen.prepared or {})["submission"])))
    profile = challenge.judges[run.pins.judge.profile]
    plan = plan_items(gold, submission, challenge, challenge.policies[policy], run.pins.gold_layout, profile)
    # Only a judge that decodes answers otherwise under another reading; of any other the verdicts are the same.
    under = (challenge, policy) if "decoding" in profile.settings else (run.challenge, run.pins.policy)
    reading = under[0].policies[under[1]].reply_reading
    found: dict[Key, JudgeRequest] = {}
    for planned in plan.to_judge:
        before = stored.get(planned.key)
        heard = Path(before.audio).stem if before is not None and before.audio is not None else None
        item = judge_item(planned, heard)
        found[planned.key] = judge_request(item, challenge, run.pins.judge.fingerprint, reading=reading)
    return found


def _under(state: TeamState, before: Challenge, now: Challenge) -> TeamState:
    """With the deadline of ``now``: a hand-in whose time is told is late after it. One that was marked late by hand
    stays so."""
    if before.deadline == now.deadline:
        return state
    attempts = []
    for each in state.attempts:
        late = each.attempt.late
        if each.attempt.submitted_at:
            at = datetime.fromisoformat(each.attempt.submitted_at)
            by_hand = late and at <= _deadline(before)
            late = by_hand or at > _deadline(now)
        attempts.append(replace(each, attempt=replace(each.attempt, late=late)))
    return replace(state, attempts=attempts)


def _deadline(challenge: Challenge) -> datetime:
    return datetime.fromisoformat(challenge.deadline).astimezone(UTC)
