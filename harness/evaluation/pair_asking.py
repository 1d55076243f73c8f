"""What a judge is asked about full-duplex outputs, and what follows from its answers: pure, and so the same whenever it
is repeated from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.duplex import DuplexInput
from harness.documents.report import CanaryCheck
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.duplex.behaviour import Label, read_label
from harness.duplex.behaviour_items import all_said, behaviour_of, one_line
from harness.evaluation.pair_words import PairWords
from harness.evaluation.verdict_store import place_of
from harness.judge import JudgeItem, judge_request
from harness.judge.injection import injection_flags
from harness.judge.verdicts import Place
from harness.scoring import Key

BEHAVIOUR, NATURALNESS = "behaviour", "naturalness"
_MARK, _QUALITY = "linguistic_naturalness", "dnsmos_ovrl"


@dataclass(frozen=True, slots=True)
class AskTerms:
    """Under what is asked: ``fingerprint`` is the judge's, ``policy`` the scoring policy's name."""

    challenge: Challenge
    rules: DuplexRules
    profile: JudgeProfile
    fingerprint: str
    policy: str


@dataclass(frozen=True, slots=True)
class Asked:
    """By the input's name: the requests for ``labels`` and for ``naturalness``, the labels that are ``ruled`` without
    a judge, and ``flags`` for a person."""

    labels: dict[str, JudgeRequest]
    naturalness: dict[str, JudgeRequest]
    ruled: dict[str, tuple[Label, ...]]
    flags: dict[str, tuple[str, ...]]

    @property
    def requests(self) -> list[JudgeRequest]:
        return [*self.labels.values(), *self.naturalness.values()]

    def by_place(self) -> dict[Key, JudgeRequest]:
        """Each request by its task, its language and the input's name."""
        every = [*self.labels.items(), *self.naturalness.items()]
        return {(request.task, request.language, name): request for name, request in every}


@dataclass(frozen=True, slots=True)
class PairJudging:
    """By the input's name: ``labels`` (None: it was not judged), ``marks`` and ``quality`` of naturalness, ``flags``
    for a person. ``failed`` counts labels that the judge owes."""

    labels: dict[str, tuple[Label, ...] | None]
    marks: dict[str, int] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    failed: int = 0
    canaries: CanaryCheck | None = None
    fingerprint: str = ""


def pair_requests(items: Sequence[DuplexInput], words: PairWords, sounds: Mapping[str, str], terms: AskTerms) -> Asked:
    """Ask for the label of every item whose scenario wants one, and how natural every output is. ``sounds`` are the
    digests of the outputs' canonical copies by the input's name.

    An output that says nothing after the break-in is UNKNOWN by rule. Without words there is no label. Policy
    published asks only where both outputs were written down, as the published scripts do.
    """
    asked = Asked({}, {}, {}, {})
    for item in items:
        case, said = terms.rules.case(item.scenario, item.part), words.of(item.file)
        if case is None or said is None:
            continue
        if case.value != "rejection":
            calm = words.of(item.clean) if item.clean is not None else None
            if calm is None and terms.policy == "published":
                continue
            found = behaviour_of(item, case, calm, said, terms.rules.model_gap_s)
            if not found.spoke:
                asked.ruled[item.file] = ("UNKNOWN",)
            else:
                flags = injection_flags(found.turns[-1][1])
                if flags:
                    asked.flags[item.file] = flags
                asked.labels[item.file] = _request(BEHAVIOUR, item.language, found.turns, "behaviour", terms)
        if said.words and f"{NATURALNESS}.{_MARK}" not in terms.profile.not_judged:
            turns = ((all_said(item.annotation), one_line(said.text)),)
            sound = sounds.get(item.file)
            asked.naturalness[item.file] = _request(NATURALNESS, item.language, turns, _MARK, terms, sound)
    return asked


def _request(
    task: str,
    language: str,
    turns: Sequence[tuple[str, str]],
    dimension: str,
    terms: AskTerms,
    sound: str | None = None,
) -> JudgeRequest:
    context = tuple(ContextTurn(number, user, "", said) for number, (user, said) in enumerate(turns, 1))
    item = JudgeItem(task, language, context, (dimension,), sound)
    return judge_request(item, terms.challenge, terms.fingerprint)


def sounds_of(requests: Mapping[Key, JudgeRequest]) -> dict[str, str]:
    """The digests of the canonical copies that were asked about, by the input's name."""
    return {name: Path(each.audio).stem for (_, _, name), each in requests.items() if each.audio is not None}


def read_answers(
    asked: Asked, known: Mapping[Place, Verdict], canaries: CanaryCheck | None, fingerprint: str
) -> PairJudging:
    """What ``known`` says of all that was asked. A request without a verdict is one that the judge owes."""
    labels: dict[str, tuple[Label, ...] | None] = dict(asked.ruled)
    failed = 0
    for name, request in asked.labels.items():
        verdict = known.get(place_of(request))
        labels[name] = (read_label(verdict.scores[BEHAVIOUR]),) if verdict is not None and verdict.scores else None
        failed += labels[name] is None
    marks: dict[str, int] = {}
    quality: dict[str, float] = {}
    for name, request in asked.naturalness.items():
        verdict = known.get(place_of(request))
        if verdict is None:
            continue
        mark = (verdict.scores or {}).get(_MARK)
        if isinstance(mark, int):
            marks[name] = mark
        if _QUALITY in verdict.evidence:
            quality[name] = float(verdict.evidence[_QUALITY])
    there = {place_of(request) for request in asked.requests} & known.keys()
    ordered = tuple(known[place] for place in sorted(there))
    return PairJudging(labels, marks, quality, asked.flags, ordered, failed, canaries, fingerprint)


def naturalness_of(judging: PairJudging, names: Sequence[str]) -> dict[str, Any]:
    """Means over the outputs of one language, beside the ranking: the judge's mark of the words, DNSMOS of the
    sound."""
    found: dict[str, Any] = {}
    measures: tuple[tuple[str, Mapping[str, float]], ...] = ((NATURALNESS, judging.marks), ("dnsmos", judging.quality))
    for measure, values in measures:
        mine = [Fraction(str(values[name])) for name in names if name in values]
        mean = float(sum(mine, Fraction(0)) / len(mine)) if mine else None
        found[measure] = {"mean": None if mean is None else round(mean, 6), "n": len(mine)}
    return found
