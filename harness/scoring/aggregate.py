"""Items to a score report: exact sums, means over the policy's denominator, and what became of every item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from harness.challenge.spec import Challenge, Policy
from harness.documents.finding import ChallengeRef
from harness.documents.report import (
    ITEM_STATES,
    MOVED,
    UNCOUNTED_STATES,
    DimensionScore,
    Evidence,
    ItemState,
    JudgeRef,
    ScoredItem,
    ScoreReport,
)
from harness.documents.submission import Submission
from harness.documents.verdict import Verdict

ITEMS_FILE = "items.jsonl"
# What the report sums up of the evidence beside the marks; the names are those of harness/judge/evidence.py.
EVIDENCE = ("units", "units_per_s", "duration_s", "speech_s", "dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl")


def score_report(
    items: Sequence[ScoredItem],
    submission: Submission,
    challenge: Challenge,
    policy: Policy,
    judge: JudgeRef | None,
    *,
    late: bool = False,
    baseline: bool = False,
) -> ScoreReport:
    """One team's report. Every dimension of every ranked task has an entry in every language, in the order of the
    spec; its counts add up to the organisers' list. The result does not depend on the order of ``items``."""
    groups: dict[tuple[str, str, str], list[ScoredItem]] = defaultdict(list)
    for item in items:
        groups[item.task, item.language, item.dimension].append(item)
    unjudged = judge.not_judged if judge else ()
    dimensions = tuple(
        dimension_score(
            groups[task.id, language, name], task.id, language, name, policy, judged=f"{task.id}.{name}" not in unjudged
        )
        for task in challenge.tasks_of(submission.track, ranked_only=True)
        for language in challenge.languages
        for name in task.dimension_ids()
    )
    return ScoreReport(
        schema_version=1,
        team=submission.team,
        display_name=submission.display_name,
        system=submission.system,
        track=submission.track,
        policy=policy.id,
        late=late,
        baseline=baseline,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        judge=judge,
        dimensions=dimensions,
        items=ITEMS_FILE,
        complete=not any(_blocks(policy, item.state) for item in items),
    )


def dimension_score(
    items: Sequence[ScoredItem], task: str, language: str, dimension: str, policy: Policy, *, judged: bool = True
) -> DimensionScore:
    """The items of one dimension to their exact sum, their number and their mean.

    There is no mean when nothing counts, when the judge cannot judge the dimension (floors alone would look like a
    judgement), and while a failed judgement waits to be repeated.
    """
    states = Counter(item.state for item in items)
    counts = {state: states[state] for state in ITEM_STATES if states[state]}
    total = sum((Fraction(item.score) for item in items if item.score is not None), Fraction(0))
    n = _denominator(policy, states)
    judged = judged and not (states["not_judged"] and not states["scored"])
    known = n > 0 and judged and not any(_blocks(policy, state) for state in counts)
    return DimensionScore(
        task=task,
        language=language,
        dimension=dimension,
        mean=float(total / n) if known else None,
        sum=_plain(total) if known else None,
        n=n,
        source="judge",
        counts={str(state): count for state, count in counts.items()},
    )


def evidence_summary(verdicts: Mapping[tuple[str, str, str], Verdict]) -> tuple[Evidence, ...]:
    """The mean of every measure that EVIDENCE lists, by task and language over the replies that have it. ``verdicts``
    is by task, language and dialogue; order changes nothing. MOVED is the share of a reply's marks that differ between
    the samples of it, where the judge was asked several times."""
    values: dict[tuple[str, str, str], list[Fraction]] = defaultdict(list)
    for (task, language, _), verdict in verdicts.items():
        for measure in EVIDENCE:
            value = verdict.evidence.get(measure)
            if value is not None:
                values[task, language, measure].append(Fraction(str(value)))
        spreads = [value for name, value in verdict.evidence.items() if name.startswith("spread.")]
        if spreads:
            values[task, language, MOVED].append(Fraction(sum(value > 0 for value in spreads), len(spreads)))
    return tuple(
        Evidence(task, language, measure, round(float(sum(found) / len(found)), 4), len(found))
        for (task, language, measure), found in sorted(values.items())
    )


def _blocks(policy: Policy, state: ItemState) -> bool:
    return policy.failed_judgement == "block" and state == "judge_failed"


def _denominator(policy: Policy, states: Counter[ItemState]) -> int:
    if policy.denominator == "scored":
        return states["scored"]
    return sum(count for state, count in states.items() if state not in UNCOUNTED_STATES)


def _plain(total: Fraction) -> int | str:
    return total.numerator if total.denominator == 1 else f"{total.numerator}/{total.denominator}"
