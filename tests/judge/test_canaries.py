"""Known-answer items: twenty a run, alike to any other request, and out of their bands nothing is published."""

from __future__ import annotations

import importlib.util
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from harness.challenge import load
from harness.challenge.evaluated_turn import evaluated_index
from harness.challenge.load import load_challenge
from harness.challenge.spec import EvaluatedTurn
from harness.documents.verdict import Verdict
from harness.errors import UsageError
from harness.judge import canaries, judge_request
from harness.judge.canaries import canaries_to_ask, canary_requests, check_canaries, planted

CHALLENGE = load_challenge()
HALF = Fraction(1, 2)
SMALL, OFFICIAL = CHALLENGE.judges["small"], CHALLENGE.judges["qwen3-omni"]


_found = importlib.util.spec_from_file_location("bands", Path(__file__).parents[2] / "calibration" / "bands.py")
assert _found is not None
assert _found.loader is not None
bands = importlib.util.module_from_spec(_found)
_found.loader.exec_module(bands)


def marked(profile: str = "small", **by_kind: int) -> dict[str, Verdict]:
    """A verdict for every canary with the mark of its kind in every dimension."""
    marks = {"good": 5, "poor": 1, "injected": 1, "swapped": 1, **by_kind}
    return {
        canary.name: Verdict("i", 0, dict.fromkeys(canary.item.dimensions, marks[canary.kind]), {}, "", 1, "scored")
        for canary in planted(CHALLENGE, CHALLENGE.judges[profile])
    }


@pytest.mark.parametrize("profile", [SMALL, OFFICIAL], ids=lambda profile: profile.id)
def test_every_task_and_language_has_good_poor_and_injected(profile) -> None:  # type: ignore[no-untyped-def]
    found = planted(CHALLENGE, profile)
    kinds = Counter((each.item.task, each.item.language, each.kind) for each in found)
    ranked = [task.id for task in CHALLENGE.tasks.values() if task.ranked]
    assert len(found) == 20
    for language in CHALLENGE.languages:
        for task in ranked:
            assert all(kinds[task, language, kind] == 1 for kind in ("good", "poor", "injected"))
        assert kinds["task4", language, "swapped"] == 1
    assert len({each.name for each in found}) == len(found)


def test_their_requests_are_like_any_other() -> None:
    requests = canary_requests(CHALLENGE, SMALL, "f")
    for canary in planted(CHALLENGE, SMALL):
        request = requests[canary.name]
        assert request == judge_request(canary.item, CHALLENGE, "f")
        assert "canary" not in repr(request)
        assert canary.name not in repr(request)
        assert "<|" not in request.context[-1].reply


@pytest.mark.parametrize("rule", ["second_non_neutral", "last_non_neutral"])
def test_the_evaluated_turn_of_the_spec_gets_the_reply(rule: EvaluatedTurn) -> None:
    tasks = {**CHALLENGE.tasks, "task4": replace(CHALLENGE.tasks["task4"], evaluated_turn=rule)}
    for canary in planted(replace(CHALLENGE, tasks=tasks), SMALL):
        emotions = [turn.emotion for turn in canary.item.context]
        wanted = tasks[canary.item.task].evaluated_turn
        assert evaluated_index(emotions, wanted, "neutral") == len(emotions) - 1
        assert canary.item.context[-1].reply != "…"
        assert [turn.reply for turn in canary.item.context[:-1]] == ["…"] * (len(emotions) - 1)
    named = [each for each in planted(CHALLENGE, SMALL) if each.item.task == "task4"]
    assert all(len(each.item.context) == 2 for each in named)


def test_marks_within_the_bands_pass() -> None:
    check = check_canaries(CHALLENGE, SMALL, marked())
    assert check is not None
    assert (check.n, check.out, check.passed) == (20, (), True)


@pytest.mark.parametrize(("kind", "mark"), [("good", 1), ("poor", 5), ("injected", 5), ("swapped", 5)])
def test_marks_out_of_the_bands_fail_and_are_named(kind: str, mark: int) -> None:
    check = check_canaries(CHALLENGE, SMALL, marked(**{kind: mark}))
    assert check is not None
    assert not check.passed
    assert all(f".{kind}." in name for name in check.out)
    assert len(check.out) == (2 if kind == "swapped" else 6)


def test_no_verdict_is_out_of_its_band_and_few_may_be_tolerated() -> None:
    verdicts = marked()
    gone = min(verdicts)
    verdicts[gone] = replace(verdicts[gone], scores=None, state="failed")
    check = check_canaries(CHALLENGE, SMALL, verdicts)
    assert check is not None
    assert (len(check.out), check.passed) == (1, False)
    assert "no verdict" in check.out[0]
    tolerant = check_canaries(CHALLENGE, replace(SMALL, canaries_tolerated=1), verdicts)
    assert tolerant is not None
    assert tolerant.passed


def test_the_ends_of_a_band_belong_to_it() -> None:
    exact = replace(SMALL, canaries={"good": (Fraction(5), Fraction(5))})
    check = check_canaries(CHALLENGE, exact, marked())
    assert check is not None
    assert check.passed
    assert check.n == 6


def test_a_judge_without_bands_has_no_canaries() -> None:
    bare = replace(SMALL, canaries={})
    assert planted(CHALLENGE, bare) == ()
    assert check_canaries(CHALLENGE, bare, {}) is None


def test_guessed_bands_make_no_judge_official(tmp_path: Path) -> None:
    assert OFFICIAL.canaries_provisional
    assert not OFFICIAL.official
    spec = (Path(load.__file__).parent / "specs" / "humdial-2026.toml").read_text("utf-8")
    (tmp_path / "set.toml").write_text(spec.replace("provisional = true\n", "", 1))
    judge = load_challenge(str(tmp_path / "set.toml")).judges["qwen3-omni"]
    assert judge.official
    assert judge == replace(OFFICIAL, official=True, canaries_provisional=False)


def test_bands_are_made_from_a_judges_own_marks() -> None:
    made = bands.bands({"good": [Fraction(4), Fraction(13, 3)], "poor": [Fraction(1), Fraction(5, 3)]}, HALF, CHALLENGE)
    assert made == {"good": (Fraction(7, 2), Fraction(29, 6)), "poor": (Fraction(1), Fraction(13, 6))}
    with pytest.raises(SystemExit, match="meets that of injected"):
        bands.bands({"good": [Fraction(3)], "injected": [Fraction(2)]}, HALF, CHALLENGE)


def test_what_this_judge_cannot_judge_is_not_planted() -> None:
    deaf = replace(SMALL, not_judged=(*SMALL.not_judged, "task4.textual_empathy_insight"))
    assert {each.item.task for each in planted(CHALLENGE, deaf)} == {"task2", "task3"}


def test_another_challenge_has_none() -> None:
    invented = load_challenge("tests/data/invented.toml")
    assert planted(invented, replace(SMALL, canaries={"good": (Fraction(1), Fraction(2))})) == ()


def test_they_are_asked_in_every_container_or_once_for_a_fingerprint() -> None:
    requests = canary_requests(CHALLENGE, SMALL, "f")
    verdicts = marked()
    known = {(request.item, 0): verdicts[name] for name, request in requests.items()}
    assert canaries_to_ask(requests, {}, SMALL, busy=True) == list(requests.values())
    assert canaries_to_ask(requests, known, SMALL, busy=True) == []
    always = replace(SMALL, canaries_always=True)
    assert canaries_to_ask(requests, known, always, busy=True) == list(requests.values())
    assert canaries_to_ask(requests, known, always, busy=False) == []


def test_a_canary_file_that_is_none_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "zh.toml").write_text('[[story]]\nid = "x"\n')
    monkeypatch.setattr(canaries, "data_dir", lambda name: tmp_path)
    canaries._of.cache_clear()
    with pytest.raises(UsageError, match=r"zh\.toml|canaries of zh"):
        planted(CHALLENGE, SMALL)
    canaries._of.cache_clear()
