"""review.json of a run: what `likeness` finds between its teams, from the journal's documents and the inputs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping

from harness.challenge.spec import Challenge
from harness.documents.codec import from_plain
from harness.documents.run_record import RunRecord
from harness.documents.run_review import Declared, RunReview
from harness.documents.submission import Submission
from harness.evaluation.blobs import Blobs
from harness.evaluation.likeness import HandIn, hand_in, hand_in_of_pairs, run_flags
from harness.evaluation.pair_words import read_words
from harness.evaluation.preparing import read_requests
from harness.evaluation.standings import TeamState


def review_run(
    states: Mapping[str, TeamState], blobs: Blobs, given: Callable[[], frozenset[str]], challenge: Challenge
) -> RunReview:
    """Compare what counts of every team; ``given`` reads the digests of the inputs' own audio, which takes a while.
    Raises Refused (I_CORRUPT) for a broken blob."""
    handed = [each for each in (_hand_in(state, blobs) for state in states.values()) if each is not None]
    known = given() if any(each.audio for each in handed) else frozenset[str]()
    declared = (_declared(state, blobs) for state in states.values())
    return RunReview(
        1, run_flags(handed, known, challenge.review), tuple(each for each in declared if each is not None)
    )


def _declared(state: TeamState, blobs: Blobs) -> Declared | None:
    prepared = state.chosen.prepared if state.chosen else None
    if state.chosen is None or prepared is None or not prepared.get("submission"):
        return None
    submission = from_plain(Submission, json.loads(blobs.get(prepared["submission"])))
    return Declared(state.team.name, state.chosen.attempt.number, dict(submission.declarations), submission.resources)


def _hand_in(state: TeamState, blobs: Blobs) -> HandIn | None:
    prepared = state.chosen.prepared if state.chosen else None
    if prepared is None or not prepared.get("submission"):
        return None
    submission = from_plain(Submission, json.loads(blobs.get(prepared["submission"])))
    runs: dict[str, list[RunRecord]] = defaultdict(list)
    for each in state.attempts:
        if each.ran is not None:
            record = from_plain(RunRecord, json.loads(blobs.get(each.ran["record"])))
            runs[record.image_id].append(record)
    asked = state.requests(state.chosen) if state.chosen is not None else None
    if asked is None:
        return None
    if state.heard is not None:
        words = read_words(blobs.get(state.heard["words"]), submission)
        return hand_in_of_pairs(state.team.name, prepared["source"], submission, words, runs)
    requests = read_requests(blobs.get(asked)).values()
    return hand_in(state.team.name, prepared["source"], submission, requests, runs)
