"""Human ratings against what is known, and into reports: means of an item's raters, then over the items.

Ratings per item, blinding and averaging were not published by the challenge; mean over raters per item, then over
items, weighs every dialogue alike however many people heard it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from harness.challenge.spec import Challenge, Policy, Track
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.documents.items import Scores
from harness.documents.ratings import Rating, RatingLine, is_rater
from harness.documents.report import FAULT_STATES, ITEM_STATES, UNCOUNTED_STATES, DimensionScore, ScoreReport

_PLAIN_INTEGER = 4  # characters: no scale needs more


@dataclass(frozen=True, slots=True)
class Known:
    """What ratings may be about. ``teams`` and ``dialogues`` ((language, task) to ids) are None where nobody said."""

    teams: frozenset[str] | None = None
    dialogues: Mapping[tuple[str, str], frozenset[str]] | None = None


def rated_dimensions(track: Track, challenge: Challenge) -> dict[str, str]:
    """What a ratings file may call a dimension ("task.dimension", or the dimension alone) to "task.dimension"."""
    names: dict[str, str] = {}
    for human in track.human.values():
        for name in human:
            task, _, dimension = name.partition(".")
            for each in [dimension] if dimension else challenge.tasks[task].dimension_ids():
                names[f"{task}.{each}"] = names[each] = f"{task}.{each}"
    return names


def accept(
    lines: Iterable[RatingLine], known: Known, challenge: Challenge, track: Track
) -> tuple[list[Rating], list[Finding]]:
    """The ratings that are right, and a finding for each line that is not."""
    dimensions = rated_dimensions(track, challenge)
    ratings: list[Rating] = []
    findings: list[Finding] = []
    seen: dict[tuple[str, str, str, str, str], RatingLine] = {}
    for line in lines:
        problem = _problem(line, known, challenge, dimensions)
        if problem is not None:
            findings.append(problem)
            continue
        name = dimensions[line.dimension]
        key = (line.team, line.language, line.dialogue_id, line.rater_id, name)
        if key in seen:
            findings.append(
                finding(
                    "E_RATING_DUP",
                    file=line.file,
                    line=line.line,
                    rater=line.rater_id,
                    team=line.team,
                    dialogue=line.dialogue_id,
                    dimension=line.dimension,
                    first=seen[key].place,
                )
            )
            continue
        seen[key] = line
        ratings.append(Rating(line.team, line.language, line.dialogue_id, line.rater_id, name, int(line.score)))
    return ratings, findings


def _problem(line: RatingLine, known: Known, challenge: Challenge, dimensions: Mapping[str, str]) -> Finding | None:
    def found(code: str, **values: str) -> Finding:
        return replace(finding(code, **values), file=line.file, line=line.line)  # type: ignore[arg-type]

    if line.dimension not in dimensions:
        listed = ", ".join(sorted({name.partition(".")[2] for name in dimensions.values()}))
        return found("E_RATING_DIMENSION", dimension=_quoted(line.dimension), known=listed or "none")
    if known.teams is not None and line.team not in known.teams:
        return found("E_RATING_TEAM", team=_quoted(line.team))
    task = dimensions[line.dimension].partition(".")[0]
    listed_dialogues = None if known.dialogues is None else known.dialogues.get((line.language, task), frozenset())
    if line.language not in challenge.languages or (
        listed_dialogues is not None and line.dialogue_id not in listed_dialogues
    ):
        return found("E_RATING_ITEM", language=_quoted(line.language), dialogue=_quoted(line.dialogue_id), task=task)
    if not is_rater(line.rater_id):
        return found("E_RATING_RATER", rater=_quoted(line.rater_id))
    scale = challenge.tasks[task].scale
    if len(line.score) > _PLAIN_INTEGER or line.score not in {str(mark) for mark in scale}:
        return found("E_RATING_SCALE", score=_quoted(line.score), scale=", ".join(map(str, scale)))
    return None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


ItemStates = Mapping[tuple[str, str, str], Mapping[str, str]]  # language, task, dimension to dialogue to state


def item_states(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], dict[str, str]]:
    """The states of a team's items as its items.jsonl has them."""
    found: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[row["language"], row["task"], row["dimension"]][row["dialogue_id"]] = row["state"]
    return found


def coverage(
    ratings: Sequence[Rating],
    teams: Iterable[str],
    states: Mapping[str, ItemStates],
    challenge: Challenge,
    track: Track,
) -> list[Finding]:
    """Teams that nobody rated or that were rated in part, and ratings of items that have no audio."""
    rated: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for rating in ratings:
        rated[rating.team, rating.language, rating.dimension].add(rating.dialogue_id)
    found: list[Finding] = []
    named = {team for team, _, _ in rated}
    dimensions = sorted(set(rated_dimensions(track, challenge).values()))
    for team in sorted(teams):
        if team not in named:
            found.append(finding("W_RATING_TEAM", team=team))
            continue
        for language in track.language_weights:
            for name in dimensions:
                task, _, dimension = name.partition(".")
                own = states.get(team, {}).get((language, task, dimension))
                if own is not None:
                    found += _covered(team, language, name, own, rated[team, language, name])
    return found


def _covered(team: str, language: str, name: str, states: Mapping[str, str], rated: set[str]) -> Iterable[Finding]:
    expected = {d for d, state in states.items() if not _settled(state)}
    missing = expected - rated
    if missing:
        yield finding(
            "W_RATING_PARTIAL",
            team=team,
            missing=len(missing),
            expected=len(expected),
            language=language,
            dimension=name,
        )
    for dialogue in sorted(rated & set(states)):
        if states[dialogue] in FAULT_STATES:
            yield finding("W_RATING_FAULT", team=team, dialogue=f"{language} {dialogue}", state=states[dialogue])


def _settled(state: str) -> bool:
    """Whether raters have nothing to say about an item: there is nothing to hear, or it counts for nobody."""
    return state in FAULT_STATES or state in ("skipped", "excluded")


def with_ratings(
    report: ScoreReport,
    ratings: Iterable[Rating],
    states: ItemStates | None,
    challenge: Challenge,
    track: Track,
) -> tuple[ScoreReport, Scores]:
    """The report with an entry of source ``human`` for every dimension that people rate, and the scores behind it.

    ``ratings`` are this team's. With ``states`` (of its items) an item that has no usable audio keeps the policy's
    floor, and one that nobody rated is ``not_rated``; without them the rated items are all there are. A dimension of
    which nothing was rated has no mean: floors alone would look like a rating.
    """
    policy = challenge.policies[report.policy]
    marks: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        marks[rating.language, rating.dimension][rating.dialogue_id].append(rating.score)
    entries: list[DimensionScore] = []
    scores: Scores = {}
    for name in sorted(set(rated_dimensions(track, challenge).values())):
        task, _, dimension = name.partition(".")
        for language in track.language_weights:
            rated = {d: Fraction(sum(given), len(given)) for d, given in marks[language, name].items()}
            own = (states or {}).get((language, task, dimension)) or dict.fromkeys(rated, "scored")
            items = {d: _item(state, rated.get(d), policy, challenge.tasks[task].lowest) for d, state in own.items()}
            entries.append(_entry(items, language, task, dimension, policy, rated=bool(rated)))
            scores[language, task, dimension, True] = {d: score for d, (_, score) in items.items()}
    replaced = {(e.language, e.task, e.dimension) for e in entries}
    kept = [e for e in report.dimensions if e.source != "human" or (e.language, e.task, e.dimension) not in replaced]
    return replace(report, dimensions=(*kept, *entries)), scores


def _item(state: str, mean: Fraction | None, policy: Policy, lowest: int) -> tuple[str, Fraction | None]:
    if _settled(state):
        return state, Fraction(lowest) if policy.floors and state in FAULT_STATES else None
    return ("not_rated", None) if mean is None else ("scored", mean)


def _entry(
    items: Mapping[str, tuple[str, Fraction | None]],
    language: str,
    task: str,
    dimension: str,
    policy: Policy,
    *,
    rated: bool,
) -> DimensionScore:
    counts: dict[str, int] = {}
    for state in ITEM_STATES:
        number = sum(found == state for found, _ in items.values())
        if number:
            counts[state] = number
    counted = [score for _, score in items.values() if score is not None]
    total = sum(counted, Fraction(0))
    n = (
        len(counted)
        if policy.denominator == "scored"
        else sum(number for state, number in counts.items() if state not in UNCOUNTED_STATES)
    )
    known = rated and n > 0
    return DimensionScore(
        task=task,
        language=language,
        dimension=dimension,
        mean=float(total / n) if known else None,
        sum=(total.numerator if total.denominator == 1 else f"{total.numerator}/{total.denominator}")
        if known
        else None,
        n=n,
        source="human",
        counts=counts,
    )
