"""The two policies on measured pairs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from harness.challenge.load import load_challenge
from harness.documents.duplex import Annotation, DuplexInput, Segment
from harness.duplex import TimingRules, pair_timing
from harness.duplex.measures import MeasuredPair, language_measures, stopped_share

RULES = load_challenge().duplex
assert RULES is not None
ANNOTATION = Annotation(10.0, (Segment(0.5, 2.0), Segment(4.0, 5.5)))


def pair(
    number: int, scenario: str = "follow_up", part: Any = None, state: Any = "ok", **measured: Any
) -> MeasuredPair:
    item = DuplexInput(f"test-{number:06d}", "en", scenario, part, None, ANNOTATION)
    return MeasuredPair(item, state, **measured)


def good(number: int, **changes: Any) -> MeasuredPair:
    timing = pair_timing([(0.5, 2.0), (4.0, 5.5)], [(2.5, 4.3), (6.0, 8.0)], TimingRules())
    measured = {"timing": timing, "transcribed": True, "delay_s": Fraction(1, 2), "labels": ("RESPOND",)}
    return pair(number, **{**measured, **changes})


def test_a_good_answer() -> None:
    for policy in ("strict", "published"):
        found = language_measures([good(1), good(2)], RULES, policy)
        assert found["interruption"]["follow_up"] == 1.0
        assert found["stop_latency_s"]["follow_up"] == 0.3
        assert found["response_latency_s"]["follow_up"] == 0.5
        assert found["first_response_delay_s"]["follow_up"] == 0.5
        assert found["n"]["stop_latency_s"]["follow_up"] == 2
        assert found["n"]["response_latency_s"]["follow_up"] == 4


def test_nothing_measured_is_missing_and_never_zero() -> None:
    for policy in ("strict", "published"):
        found = language_measures([], RULES, policy)
        for name in ("interruption", "rejection", "stop_latency_s", "response_latency_s", "first_response_delay_s"):
            assert set(found[name].values()) == {None}
            assert set(found["n"][name].values()) == {0}


def test_a_silent_system_is_not_fast() -> None:
    silent = [pair(1, state="silent"), pair(2, state="missing")]
    published = language_measures(silent, RULES, "published")
    assert published["stop_latency_s"]["follow_up"] is None
    assert published["interruption"]["follow_up"] is None
    strict = language_measures(silent, RULES, "strict")
    assert strict["interruption"]["follow_up"] == 0.0
    assert strict["stop_latency_s"]["follow_up"] == 1.5  # the whole interruption
    assert strict["response_latency_s"]["follow_up"] == 5.0  # 4.5 s of the input are left, and 5 are the least
    assert strict["first_response_delay_s"]["follow_up"] == 8.0
    assert strict["n"]["first_response_delay_s"]["follow_up"] == 2
    assert strict["outputs"] == {"missing": 1, "silent": 1}


def test_silence_is_not_fast_where_the_input_ends_with_the_user() -> None:
    """Nothing is left of such an input. Counted as the rest of it, silence would take 0 s."""
    ends = DuplexInput("test-000001", "en", "follow_up", None, None, Annotation(5.5, ANNOTATION.segments))
    utterance = DuplexInput("test-000002", "en", "pause", None, None, Annotation(2.0, ANNOTATION.segments[:1]))
    early = MeasuredPair(utterance, "ok", transcribed=True, delay_s=Fraction(-1))
    for state in ("silent", "missing", "invalid"):
        pairs = [MeasuredPair(ends, state), MeasuredPair(utterance, state), early]  # type: ignore[arg-type]
        strict = language_measures(pairs, RULES, "strict")
        assert strict["first_response_delay_s"]["follow_up"] == strict["first_response_delay_s"]["pause"] == 5.0
        assert strict["response_latency_s"]["follow_up"] == 5.0
        assert strict["n"]["first_response_delay_s"]["pause"] == 2
        assert strict["rejection"]["pause"] == 0.0
        published = language_measures(pairs, RULES, "published")
        assert published["first_response_delay_s"]["pause"] is None
        assert published["n"]["first_response_delay_s"]["pause"] == 0
    slower = replace(RULES, unanswered_s=8.0)
    assert language_measures(pairs, slower, "strict")["first_response_delay_s"]["pause"] == 8.0


def test_noise_in_which_nobody_speaks_is_not_fast_either() -> None:
    """It is no silent file, but neither stops nor answers."""
    noise = good(1, timing=pair_timing([(0.5, 2.0), (4.0, 5.5)], [], TimingRules()), delay_s=None, labels=("UNKNOWN",))
    strict = language_measures([noise], RULES, "strict")
    silent = language_measures([pair(1, state="silent")], RULES, "strict")
    for name in ("interruption", "stop_latency_s", "response_latency_s", "first_response_delay_s", "n"):
        assert strict[name] == silent[name]
    assert language_measures([noise], RULES, "published")["n"]["stop_latency_s"]["follow_up"] == 0


def test_a_system_that_falls_silent_for_good_is_not_fast() -> None:
    """It answers the first query at once and the interruption never: strict counts that, to the end of the input."""
    timing = pair_timing([(0.5, 2.0), (4.0, 5.5)], [(2.1, 4.3)], TimingRules())
    quitter = good(1, timing=timing)
    published = language_measures([quitter], RULES, "published")
    assert published["response_latency_s"]["follow_up"] == 0.1
    strict = language_measures([quitter], RULES, "strict")
    assert strict["response_latency_s"]["follow_up"] == 2.55  # 0.1 and 5
    assert strict["n"]["response_latency_s"]["follow_up"] == 2
    on_and_on = good(1, timing=pair_timing([(0.5, 2.0), (4.0, 5.5)], [(2.1, 9.0)], TimingRules()))
    assert language_measures([on_and_on], RULES, "strict")["n"]["response_latency_s"]["follow_up"] == 1


def test_early_and_missing_outputs_stay_in_the_strict_denominator() -> None:
    early = good(2, delay_s=Fraction(-1), labels=("RESUME",))
    pairs = [good(1), early, pair(3, state="missing")]
    published = language_measures(pairs, RULES, "published")
    assert published["first_response_delay_s"]["follow_up"] == 0.5
    assert published["n"]["first_response_delay_s"]["follow_up"] == 1
    assert published["interruption"]["follow_up"] == 0.5
    strict = language_measures(pairs, RULES, "strict")
    assert strict["first_response_delay_s"]["follow_up"] == 5.5  # (0.5 + 8 + 8) / 3
    assert strict["interruption"]["follow_up"] == 0.33
    assert strict["n"]["interruption"]["follow_up"] == 3


def test_third_party_is_half_before_and_half_after() -> None:
    after = [pair(1, "third_party", "after", transcribed=True, labels=("RESUME",))]
    before = [pair(2, "third_party", "before", transcribed=True, delay_s=Fraction(d)) for d in (1, 2, -1)]
    for policy in ("strict", "published"):
        found = language_measures(after + before, RULES, policy)
        assert found["rejection"]["third_party"] == 0.833  # (1 + 2/3) / 2
        assert language_measures(before, RULES, policy)["rejection"]["third_party"] is None


def test_what_nobody_judged_is_missing_under_strict() -> None:
    found = language_measures([good(1), good(2, labels=None)], RULES, "strict")
    assert found["interruption"]["follow_up"] is None
    assert (
        language_measures([good(1, transcribed=False)], RULES, "strict")["first_response_delay_s"]["follow_up"] is None
    )


def test_a_judge_that_gives_two_labels_counts_twice_only_as_published() -> None:
    pairs = [good(1, labels=("RESPOND", "RESUME")), good(2)]
    assert language_measures(pairs, RULES, "published")["interruption"]["follow_up"] == 0.67
    assert language_measures(pairs, RULES, "strict")["interruption"]["follow_up"] == 0.5


def test_who_stopped() -> None:
    talks_on = pair_timing([(0.5, 2.0)], [(1.0, 4.0)], TimingRules())
    assert stopped_share([good(1), pair(2, timing=talks_on)]) == (1, 2)
