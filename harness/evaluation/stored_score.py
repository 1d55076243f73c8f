"""From stored documents to a score report: the one way, for the run itself and whenever it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.challenge.spec import Challenge
from harness.documents.codec import from_plain, jsonl, pretty_json, to_plain
from harness.documents.duplex import HearingTerms
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import CanaryCheck, JudgeRef
from harness.documents.submission import Submission
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.blobs import Blobs
from harness.evaluation.pair_asking import NATURALNESS, AskTerms
from harness.evaluation.review import merged, reply_flags, review_counts, review_list, verdict_flags
from harness.evaluation.run_directory import Pins
from harness.evaluation.score import ScoreOptions
from harness.evaluation.standings import ROWS, AttemptState, TeamState
from harness.evaluation.stored_pairs import PairParts, read_pair_gold, read_parts, score_pair_files
from harness.evaluation.teams_file import Team
from harness.scoring import Key, evidence_summary, plan_items, recognition, score_items, score_report
from harness.submission import PairInputs

Gold = tuple[ReferenceDialogue, ...] | PairInputs


@dataclass(frozen=True, slots=True)
class Scored:
    """A team's score files by name, report.json last (where it is, everything it stands on is there too), and whether
    no judgement is missing."""

    files: Mapping[str, bytes]
    complete: bool

    @property
    def rows(self) -> bytes:
        """The file with a line for everything that was scored."""
        return next(self.files[name] for name in ROWS if name in self.files)


@dataclass(frozen=True, slots=True)
class ScoreTerms:
    """Under what a run is scored; ``hearing`` is None where dialogues are."""

    challenge: Challenge
    policy: str
    judge: JudgeRef
    layout: str
    hearing: HearingTerms | None

    @property
    def asking(self) -> AskTerms:
        """For a full-duplex track."""
        rules = self.challenge.duplex
        assert rules is not None
        profile = self.challenge.judges[self.judge.profile]
        return AskTerms(self.challenge, rules, profile, self.judge.fingerprint, self.policy)


def terms_of(pins: Pins, challenge: Challenge, policy: str, judge: JudgeRef) -> ScoreTerms:
    return ScoreTerms(challenge, policy, judge, pins.gold_layout, pins.hearing)


def stored_gold(pins: Pins, blobs: Blobs) -> Gold:
    """The organisers' side, from its blob."""
    raw = blobs.get(pins.gold)
    return read_gold(raw) if pins.hearing is None else read_pair_gold(raw)


def read_gold(raw: bytes) -> tuple[ReferenceDialogue, ...]:
    """The organisers' dialogues from their blob."""
    return tuple(from_plain(ReferenceDialogue, json.loads(line)) for line in raw.splitlines())


def score_stored(
    gold: Gold,
    terms: ScoreTerms,
    state: TeamState,
    chosen: AttemptState,
    requests: Mapping[Key, JudgeRequest],
    verdicts: Mapping[tuple[str, int], Verdict],
    canaries: CanaryCheck | None,
    blobs: Blobs,
    *,
    late: bool,
) -> Scored:
    """A team's report, from the stored hand-in ``chosen``. The same documents give the same bytes.

    Raises Refused (I_CORRUPT).
    """
    team = state.team
    if isinstance(gold, PairInputs):
        parts = pair_parts(state, chosen, requests, terms, blobs)
        parts = replace(parts, submission=_named(parts.submission, team))
        options = ScoreOptions(terms.judge.profile, terms.policy, team.name, team.track, late, team.baseline)
        assert terms.hearing is not None
        files, complete = score_pair_files(gold, parts, verdicts, canaries, terms.asking, terms.hearing, options)
        return Scored(files, complete)
    submission = blobs.get((chosen.prepared or {})["submission"])
    document = _named(from_plain(Submission, json.loads(submission)), team)
    return _score_dialogues(gold, terms, document, requests, verdicts, canaries, team, late=late)


def pair_parts(
    state: TeamState, chosen: AttemptState, requests: Mapping[Key, JudgeRequest], terms: ScoreTerms, blobs: Blobs
) -> PairParts:
    """What is stored of a full-duplex team. Raises Refused (I_CORRUPT)."""
    heard, prepared = state.heard, chosen.prepared
    assert heard is not None and prepared is not None and terms.hearing is not None
    record = blobs.get(chosen.ran["record"]) if chosen.ran is not None else None
    documents = (blobs.get(prepared["submission"]), blobs.get(heard["speech"]), blobs.get(heard["words"]))
    return read_parts(*documents, requests, record, terms.hearing)


def _named(submission: Submission, team: Team) -> Submission:
    return replace(
        submission,
        team=team.name,
        display_name=team.display_name or submission.display_name,
        system=team.system or submission.system,
    )


def _score_dialogues(
    gold: Sequence[ReferenceDialogue],
    terms: ScoreTerms,
    document: Submission,
    requests: Mapping[Key, JudgeRequest],
    verdicts: Mapping[tuple[str, int], Verdict],
    canaries: CanaryCheck | None,
    team: Team,
    *,
    late: bool,
) -> Scored:
    challenge, judge = terms.challenge, terms.judge
    profile, policy = challenge.judges[judge.profile], challenge.policies[terms.policy]
    plan = plan_items(gold, document, challenge, policy, terms.layout, profile)
    found = {
        key: verdicts[request.item, request.sample]
        for key, request in requests.items()
        if (request.item, request.sample) in verdicts
    }
    flags = merged(reply_flags(plan), verdict_flags(plan, {key: (each,) for key, each in found.items()}, profile))
    items = score_items(plan, found, flags)
    report = score_report(items, document, challenge, policy, judge, late=late, baseline=team.baseline)
    report = replace(
        report,
        evidence=(*evidence_summary(found), *recognition(gold, document, challenge)),
        review=review_counts(items),
        canaries=canaries,
    )
    files = {
        "items.jsonl": jsonl([to_plain(item) for item in items]),
        "review.jsonl": jsonl(review_list(plan, items, found)),
        "report.json": pretty_json(to_plain(report)),
    }
    return Scored(files, report.complete)


def tolerated(
    state: TeamState, blobs: Blobs, requests: Mapping[Key, JudgeRequest], terms: ScoreTerms
) -> set[tuple[str, int]]:
    """What the judge answered with a failure that the report can live with: under a policy that does not wait for
    failed judgements, and of marks that rank nothing. It is not asked again, so that a crash decides nothing."""
    lives = terms.challenge.policies[terms.policy].failed_judgement != "block"
    answered = {
        (plain["item"], plain["sample"])
        for entry in state.judged
        for plain in map(json.loads, blobs.get(entry["verdicts"]).splitlines())
    }
    beside = {(each.item, each.sample) for each in requests.values() if lives or each.task == NATURALNESS}
    return answered & beside


def verdicts_of(state: TeamState, blobs: Blobs) -> tuple[dict[tuple[str, int], Verdict], CanaryCheck | None]:
    """The team's good verdicts by item and sample, and the last check of the judge's known answers.

    Raises Refused (I_CORRUPT).
    """
    found: dict[tuple[str, int], Verdict] = {}
    canaries = None
    for entry in state.judged:
        for line in blobs.get(entry["verdicts"]).splitlines():
            verdict = from_plain(Verdict, json.loads(line))
            if verdict.state == "scored":
                found.setdefault((verdict.item, verdict.sample), verdict)
        plain = json.loads(blobs.get(entry["canaries"]))["check"]
        canaries = from_plain(CanaryCheck, plain) if plain is not None else None
    return found, canaries


def canary_verdicts(state: TeamState, blobs: Blobs) -> dict[str, Verdict]:
    """How the judge marked its known-answer items when this team was judged last, by name."""
    if not state.judged:
        return {}
    said = json.loads(blobs.get(state.judged[-1]["canaries"]))["verdicts"]
    return {name: from_plain(Verdict, plain) for name, plain in said.items()}
