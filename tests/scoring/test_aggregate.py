"""Sums, denominators and counts; and that nothing about the items' order or number is lost."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.codec import canonical_json, to_plain
from harness.documents.report import FAULT_STATES, ITEM_STATES, UNCOUNTED_STATES, ItemState, JudgeRef, ScoredItem
from harness.documents.submission import Submission
from harness.resources import schema_path
from harness.scoring.aggregate import dimension_score, score_report

CHALLENGE = load_challenge()
POLICIES = CHALLENGE.policies
SUBMISSION = Submission("alpha", "Alpha 甲", "one", "seed", "track1", ())
JUDGE = JudgeRef("full", "f", True)


def item(state: ItemState, score: Any = None, name: str = "d1", dimension: str = "Added_Value") -> ScoredItem:
    return ScoredItem("task2", "zh", name, 3, dimension, score, state)


def one(items: list[ScoredItem], policy: str = "strict", *, judged: bool = True) -> Any:
    return dimension_score(items, "task2", "zh", "Added_Value", POLICIES[policy], judged=judged)


def test_strict_divides_by_the_organisers_list() -> None:
    items = [item("scored", 5), item("scored", 3), item("empty", 1), item("missing", 1), item("excluded")]
    found = one(items)
    assert (found.sum, found.n, found.mean) == (10, 4, 2.5)
    assert found.counts == {"scored": 2, "missing": 1, "empty": 1, "excluded": 1}


def test_published_divides_by_what_was_scored() -> None:
    items = [item("scored", 5), item("scored", 3), item("empty"), item("judge_failed"), item("skipped")]
    found = one(items, "published")
    assert (found.sum, found.n, found.mean) == (8, 2, 4.0)


def test_a_failed_judgement_leaves_no_mean_under_strict() -> None:
    found = one([item("scored", 5), item("judge_failed")])
    assert (found.sum, found.n, found.mean) == (None, 2, None)


def test_floors_alone_are_no_judgement() -> None:
    items = [item("not_judged"), item("silent", 1)]
    assert (one(items).mean, one(items).n) == (None, 1)
    assert one([item("silent", 1)], judged=False).mean is None
    assert one([item("silent", 1)]).mean == 1.0


def test_nothing_counts_as_nothing() -> None:
    assert (one([]).mean, one([]).sum, one([]).n) == (None, None, 0)


def test_sums_stay_exact() -> None:
    found = one([item("scored", 2.5), item("scored", 1)])
    assert (found.sum, Fraction(found.sum) / found.n) == ("7/2", Fraction(7, 4))


def test_every_ranked_dimension_of_every_language_has_an_entry() -> None:
    report = score_report([item("scored", 3)], SUBMISSION, CHALLENGE, POLICIES["strict"], JUDGE)
    names = [(d.task, d.language, d.dimension) for d in report.dimensions]
    assert len(names) == len(set(names)) == 18
    assert names[:4] == [
        ("task2", "zh", "Accuracy_Completeness"),
        ("task2", "zh", "Depth_Granularity"),
        ("task2", "zh", "Added_Value"),
        ("task2", "en", "Accuracy_Completeness"),
    ]


@pytest.mark.parametrize(("policy", "complete"), [("strict", False), ("published", True)])
def test_a_failed_judgement_blocks_strict_only(policy: str, complete: bool) -> None:
    report = score_report([item("judge_failed")], SUBMISSION, CHALLENGE, POLICIES[policy], JUDGE)
    assert report.complete is complete


def test_the_report_keeps_its_schema() -> None:
    items = [item("scored", 3), item("scored", 2.5), item("missing", 1), item("judge_failed", name="d2")]
    report = score_report(items, SUBMISSION, CHALLENGE, POLICIES["strict"], JUDGE, late=True, baseline=True)
    plain = json.loads(canonical_json(to_plain(report)))
    validator("score-report").validate(plain)
    assert (plain["late"], plain["baseline"], plain["display_name"]) == (True, True, "Alpha 甲")
    for scored in items:
        validator("scored-item").validate(json.loads(canonical_json(to_plain(scored))))
    with pytest.raises(jsonschema.ValidationError):
        validator("scored-item").validate({**to_plain(items[0]), "score": None})


def validator(kind: str) -> Any:
    schema = json.loads(schema_path(kind).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@st.composite
def items_of_a_dimension(draw: st.DrawFn) -> list[ScoredItem]:
    states = draw(st.lists(st.sampled_from(ITEM_STATES), max_size=30))
    return [
        item(
            state,
            draw(st.sampled_from([1, 3, 5])) if state == "scored" else 1 if state in FAULT_STATES else None,
            str(i),
        )
        for i, state in enumerate(states)
    ]


@settings(deadline=None)
@given(items_of_a_dimension(), st.randoms())
def test_counts_add_up_and_order_does_not_matter(items: list[ScoredItem], random: Any) -> None:
    found = one(items)
    assert sum(found.counts.values()) == len(items)
    assert found.n == sum(i.state not in UNCOUNTED_STATES for i in items)
    assert one(items, "published").n == sum(i.state == "scored" for i in items)
    if found.mean is not None:
        assert found.sum == sum(i.score for i in items if i.score is not None)
        assert 1 <= found.mean <= 5
    shuffled = list(items)
    random.shuffle(shuffled)
    assert one(shuffled) == found
