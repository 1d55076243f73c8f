"""What each dimension compares, and how a value becomes a mark. The model itself is in test_judge_container.py."""

from __future__ import annotations

import pytest

from harness.challenge.load import load_challenge
from harness.documents.verdict import ContextTurn
from harness.errors import MachineError, UsageError
from harness.judge import JudgeItem, judge_request
from harness.judge.contrasts import CONTRASTS, Contrast, Probe, View, contrast_for, mark_of
from harness.judge.engines.likelihood import _value
from harness.judge.prompts import contrast_texts

CHALLENGE = load_challenge()
CONTEXT = (
    ContextTurn(1, "I won!", "happy", "EARLIER"),
    ContextTurn(2, "It was stolen.", "anger", "EARLIER"),
    ContextTurn(3, "Sum it up?", "neutral", "First glad, then cross."),
)


def view(language: str = "en", *, asks_last: bool = True) -> View:
    request = judge_request(JudgeItem("task2", language, CONTEXT, ()), CHALLENGE, "f")
    return View.of(request, request.context[-1].reply, "neutral", contrast_texts(language), asks_last=asks_last)


def test_the_question_and_earlier_replies_are_no_part_of_the_story() -> None:
    assert view().users == ("I won!", "It was stolen.")
    assert view(asks_last=False).users == ("I won!", "It was stolen.", "Sum it up?")
    for contrast in CONTRASTS.values():
        assert not any("EARLIER" in probe.prefix + probe.target for probe in contrast(view()).probes)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_contrast_compares_two_different_things(language: str) -> None:
    seen = set()
    for contrast in CONTRASTS.values():
        pairs = contrast(view(language)).pairs
        assert pairs
        assert all(first != second for first, second in pairs)
        assert not any("{{" in probe.prefix + probe.target for pair in pairs for probe in pair)
        seen.add(pairs)
    assert len(seen) == len(CONTRASTS)


def test_the_emotion_path_is_in_the_words_of_the_language() -> None:
    (pair,) = contrast_for("emotion_path")(view("zh")).pairs
    assert pair[0].target == pair[1].target == "开心，然后愤怒"
    assert "First glad, then cross." in pair[0].prefix
    assert "First glad, then cross." not in pair[1].prefix


def test_reaching_back_means_the_turns_before_the_last() -> None:
    assert [first.target for first, _ in contrast_for("earlier_recall")(view()).pairs] == ["I won!"]
    assert [first.target for first, _ in contrast_for("recall")(view()).pairs] == ["I won!", "It was stolen."]


def test_no_task_of_the_spec_judges_two_dimensions_alike() -> None:
    settings = CHALLENGE.judges["small"].settings
    marked = [task for task in CHALLENGE.tasks.values() if task.scale]  # labels have contrasts of their own
    for task in marked:
        names = [settings["contrasts"][f"{task.id}.{d}"] for d in task.dimension_ids("text")]
        assert len(set(names)) == len(names)
    judged = {f"{task.id}.{d.id}" for task in marked for d in task.dimensions}
    assert set(settings["contrasts"]) == judged - set(CHALLENGE.judges["small"].not_judged)


def test_the_spec_has_thresholds_for_every_mark() -> None:
    settings = CHALLENGE.judges["small"].settings
    for language in CHALLENGE.languages:
        for name in settings["contrasts"]:
            scale = CHALLENGE.tasks[name.split(".")[0]].scale
            thresholds = settings["thresholds"][language][name]
            assert mark_of(-100, thresholds, scale) == scale[0]
            assert mark_of(100, thresholds, scale) == scale[-1]
            assert len({mark_of(value, thresholds, scale) for value in (-100, *thresholds)}) == len(scale)


@pytest.mark.parametrize(
    ("value", "mark"), [(-1.0, 1), (0.0999, 1), (0.1, 3), (0.2999, 3), (0.3, 5), (9.0, 5), (float("-inf"), 1)]
)
def test_a_threshold_belongs_to_the_mark_above(value: float, mark: int) -> None:
    assert mark_of(value, [0.1, 0.3], [1, 3, 5]) == mark


@pytest.mark.parametrize("thresholds", [[], [0.1], [0.3, 0.1], [1, 2, 3]])
def test_thresholds_that_do_not_fit_the_scale_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(UsageError) as caught:
        mark_of(0.0, thresholds, [1, 3, 5])
    assert caught.value.code == "E_CONFIG"


def test_an_unknown_contrast_is_refused() -> None:
    with pytest.raises(UsageError, match="no contrast"):
        contrast_for("vibes")


def test_one_clause_has_no_order() -> None:
    single = View(("happy",), ("I won!",), "You are glad", "neutral", contrast_texts("en"))
    assert contrast_for("order")(single).pairs == ()


def test_a_reply_that_looks_like_a_placeholder_stays_one() -> None:
    tricky = View(("happy",), ("I won!",), "{{user}} {{path}} {{reply}}", "neutral", contrast_texts("en"))
    for name, contrast in CONTRASTS.items():
        texts = [probe.prefix + probe.target for probe in contrast(tricky).probes]
        assert any("{{user}} {{path}} {{reply}}" in text for text in texts) or name == "order"


def test_a_number_that_is_none_fails_the_item() -> None:
    first, second = Probe("a", "b"), Probe("c", "b")
    contrast = Contrast(((first, second),))
    assert _value(contrast, {first: (-1.0, 2), second: (-2.0, 2)}) == 0.5
    for nothing in (float("nan"), float("-inf")):
        with pytest.raises(MachineError) as caught:
            _value(contrast, {first: (nothing, 2), second: (-2.0, 2)})
        assert caught.value.code == "E_VERDICT"
