"""From stored documents to a score report: the one way, for the run itself and whenever it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.challenge.spec import Challenge
from harness.documents.codec import from_plain, jsonl, pretty_json, to_plain
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import CanaryCheck, JudgeRef
from harness.documents.submission import Submission
from harness.documents.verdict import Verdict
from harness.evaluation.blobs import Blobs
from harness.evaluation.preparing import read_requests
from harness.evaluation.review import merged, reply_flags, review_counts, review_list, verdict_flags
from harness.evaluation.standings import TeamState
from harness.evaluation.teams_file import Team
from harness.scoring import evidence_summary, plan_items, recognition, score_items, score_report


@dataclass(frozen=True, slots=True)
class Scored:
    """The bytes of report.json, items.jsonl and review.jsonl (for organisers), and whether no judgement is missing."""

    report: bytes
    items: bytes
    review: bytes
    complete: bool


def read_gold(raw: bytes) -> tuple[ReferenceDialogue, ...]:
    """The organisers' dialogues from their blob."""
    return tuple(from_plain(ReferenceDialogue, json.loads(line)) for line in raw.splitlines())


def score_stored(
    gold: Sequence[ReferenceDialogue],
    gold_layout: str,
    submission: bytes,
    requests: bytes,
    verdicts: Mapping[tuple[str, int], Verdict],
    challenge: Challenge,
    policy: str,
    judge: JudgeRef,
    team: Team,
    canaries: CanaryCheck | None,
    *,
    late: bool,
) -> Scored:
    """A team's report. A pure function of what is stored: the same inputs give the same bytes."""
    document = from_plain(Submission, json.loads(submission))
    document = replace(
        document,
        team=team.name,
        display_name=team.display_name or document.display_name,
        system=team.system or document.system,
    )
    profile = challenge.judges[judge.profile]
    plan = plan_items(gold, document, challenge, challenge.policies[policy], gold_layout, profile)
    wanted = read_requests(requests)
    found = {
        key: verdicts[request.item, request.sample]
        for key, request in wanted.items()
        if (request.item, request.sample) in verdicts
    }
    flags = merged(reply_flags(plan), verdict_flags(plan, {key: (each,) for key, each in found.items()}, profile))
    items = score_items(plan, found, flags)
    report = score_report(
        items, document, challenge, challenge.policies[policy], judge, late=late, baseline=team.baseline
    )
    report = replace(
        report,
        evidence=(*evidence_summary(found), *recognition(gold, document, challenge)),
        review=review_counts(items),
        canaries=canaries,
    )
    lines = jsonl([to_plain(item) for item in items])
    review = jsonl(review_list(plan, items, found))
    return Scored(pretty_json(to_plain(report)), lines, review, report.complete)


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
