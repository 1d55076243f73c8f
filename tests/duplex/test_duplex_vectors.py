"""The published definitions, by the cases with known answers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.challenge.duplex import DuplexCase
from harness.challenge.load import load_challenge
from harness.documents.duplex import Annotation, DuplexInput, Segment, Transcript, Word
from harness.duplex import PairTiming
from harness.duplex.behaviour import NoLabel, label_shares, read_label
from harness.duplex.clean import clean_input, directed_clean, directed_second
from harness.duplex.delays import TooFewSegments, first_response_delay_s
from harness.duplex.intervals import Interval, merge, response_intervals, stop_intervals
from harness.duplex.measures import MeasuredPair, case_value, delay_rule, first_response, latency

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
RULES = load_challenge().duplex
assert RULES is not None
CASES = {case.id: case for case in RULES.cases} | {"interruption": RULES.cases[0]}
PUBLISHED = {"RESPOND": "C_RESPOND", "RESUME": "C_RESUME", "UNCERTAIN": "C_UNCERTAIN_HANDLING", "UNKNOWN": "C_UNKNOWN"}


def cases(name: str, n: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]
    assert len(found) == n
    return found


def assert_same(found: list[Interval], wanted: list[list[float]]) -> None:
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert list(ours) == pytest.approx(theirs, abs=1e-9)


def annotation(sentence: dict[str, Any]) -> Annotation:
    segments = tuple(Segment(each["xmin"], each["xmax"], each["text"]) for each in sentence["speech_segments"])
    return Annotation(sentence["final_duration"], segments)


def transcript(asr: dict[str, Any]) -> Transcript:
    return Transcript(asr["text"], tuple(Word(each["text"], *each["timestamp"]) for each in asr["chunks"]))


def measured(case: DuplexCase, name: str = "", annotated: Annotation | None = None, **what: Any) -> MeasuredPair:
    item = DuplexInput(name, "en", case.scenario, case.part, None, annotated or Annotation(0.0, ()))
    return MeasuredPair(item, "ok", **what)


def transcribed(case: dict[str, Any]) -> tuple[DuplexCase, list[MeasuredPair]]:
    """The pairs of a vector as scoring measures them, by the spec's own rules of its scenario; files without an output
    are left out, as the published script leaves them out."""
    rules = CASES[case["in"]["scenario"]]
    pairs = []
    for stem, file in case["in"]["files"].items():
        if file["output"] is not None:
            segments = annotation(file["sentence"])
            delay_s = first_response_delay_s(segments, transcript(file["output"]), delay_rule(rules))
            pairs.append(measured(rules, stem, segments, transcribed=True, delay_s=delay_s))
    return rules, pairs


def test_merge() -> None:
    for case in cases("duplex_merge", 100):
        found = merge([(start, end) for start, end in case["in"]["segments"]], case["in"]["gap"])
        assert_same(found, case["out"]["ok"])


@pytest.mark.parametrize(("name", "function"), [("stop", stop_intervals), ("response", response_intervals)])
def test_intervals(name: str, function: Any) -> None:
    for case in cases(f"duplex_{name}_intervals", 100):
        user, model = ([(start, end) for start, end in case["in"][side]] for side in ("user", "model"))
        assert_same(function(user, model), case["out"]["ok"])


def test_average_latency() -> None:
    case = CASES["interruption"]
    for vector in cases("duplex_average_latency", 50):
        pairs = [
            measured(
                case,
                timing=PairTiming(
                    (), (), tuple(map(tuple, file["latency_stop_list"])), tuple(map(tuple, file["latency_resp_list"]))
                ),
            )
            for file in vector["in"]
        ]
        for which, name in (("stop", "avg_latency_stop"), ("response", "avg_latency_resp")):
            mean = latency(pairs, which, RULES, "published")  # type: ignore[arg-type]
            wanted = vector["out"]["ok"][name]
            if mean.n == 0:
                assert mean.value is None and wanted == 0.0  # the published figure for nothing at all; ours is missing
            else:
                assert float(mean.value) == pytest.approx(wanted, abs=1e-9)


def test_behaviour_ratios() -> None:
    """The counts of all four labels, and the figures of the two kinds of scenarios that want one of them."""
    for vector in cases("duplex_behaviour_ratios", 50):
        if "raises" in vector["out"]:
            with pytest.raises(NoLabel):
                [read_label(each) for row in vector["in"] for each in row["behaviour"]]
            continue
        wanted = vector["out"]["ok"]
        labels = [tuple(read_label(each) for each in row["behaviour"]) if row else None for row in vector["in"]]
        shares = label_shares(each for each in labels if each is not None)
        assert {PUBLISHED[label]: count for label, count in shares.counts.items()} == wanted["counts"]
        ratios = {PUBLISHED[label]: float(shares.ratio(label) or 0) for label in shares.counts}
        assert ratios == pytest.approx(wanted["ratios"], abs=1e-9)
        for case in (CASES["interruption"], CASES["backchannel"]):
            pairs = [measured(case, labels=each) for each in labels]
            value, n = case_value(pairs, case, RULES, "published")
            assert n == wanted["total"]
            expected = wanted["ratios_2dp"].get(PUBLISHED[case.value], 0.0 if n else None)
            assert (None if value is None else float(value)) == expected


def test_first_response_delay() -> None:
    for vector in cases("duplex_first_response_delay", 94):
        if "raises" in vector["out"]:
            with pytest.raises(TooFewSegments):
                transcribed(vector)
            continue
        wanted = vector["out"]["ok"]
        case, pairs = transcribed(vector)
        rule = delay_rule(case)
        kept = {
            pair.item.file: float(pair.delay_s) if pair.delay_s is not None and rule.keeps(pair.delay_s) else None
            for pair in pairs
        }
        assert kept == pytest.approx(wanted["per_file"], abs=1e-9)
        mean = first_response(pairs, case, RULES, "published")
        assert mean.n == (wanted["n_valid"] or 0)
        assert (None if mean.value is None else f"{float(mean.value):.3f}") == wanted["printed_mean"]


def test_rejection_rate() -> None:
    for vector in cases("duplex_rejection_rate", 31):
        if "raises" in vector["out"]:
            with pytest.raises(TooFewSegments):
                transcribed(vector)
            continue
        wanted = vector["out"]["ok"]
        case, pairs = transcribed(vector)
        delays = {pair.item.file: pair.delay_s for pair in pairs}
        assert delays.keys() == wanted["per_file"].keys()
        for stem, (delay, counted) in wanted["per_file"].items():
            found = delays[stem]
            assert (found is not None) == counted
            assert (None if found is None else float(found)) == pytest.approx(delay, abs=1e-9)
        value, n = case_value(pairs, case, RULES, "published")
        assert n == (wanted["denominator"] or 0)
        assert (None if value is None else value * n) == wanted["accepted"]
        printed = None if value is None else f"{float(100 * value):.3f}"
        assert printed == wanted["printed_rate_percent"]


def noise(seed: int, seconds: float, rate_hz: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(-20000, 20000, int(seconds * rate_hz))
    return drawn.astype(np.int16)


def test_clean_audio() -> None:
    """To the sample; where the published scripts of speech directed at others die or write nothing, a finding."""
    done: Counter[str] = Counter()
    for case in cases("duplex_clean_audio", 12):
        given, wanted = case["in"], case["out"]
        segments, rate = annotation(given["sentence"]), given.get("sr", 16_000)
        done[case["fn"]] += 1
        if case["fn"] == "clean_wav.process_wav_file":
            made = clean_input(noise(given["seed"], given["sec"], rate), rate, segments)
            assert (len(made), int((made == 0).sum())) == (wanted["samples"], wanted["zero_count"])
            assert hashlib.sha256(made.astype("<i2").tobytes()).hexdigest() == wanted["sha256_pcm16"]
        elif case["fn"] == "prepare_for_eval_first.process_audio_folder":
            sides = [noise(given[seed], given["sec"], rate) for seed in ("user_seed", "output_seed")]
            with pytest.raises(TooFewSegments):
                directed_second(sides[0], sides[1], rate, segments)
        else:
            with pytest.raises(TooFewSegments):
                directed_clean(noise(1, 3.0, rate), rate, segments)
    assert sorted(done.values()) == [2, 3, 7]
