"""The published definitions, by the cases with known answers."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.documents.duplex import Annotation, Segment, Transcript, Word
from harness.duplex.behaviour import NoLabel, label_shares, read_label
from harness.duplex.clean import clean_input
from harness.duplex.delays import (
    DelayRule,
    Mean,
    TooFewSegments,
    first_response_delay_s,
    kept_delays,
    published_rejection,
)
from harness.duplex.intervals import Interval, lengths, merge, response_intervals, stop_intervals

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
RULES = {"third_party_before": DelayRule(reference=1), "backchannel": DelayRule(keeps_zero=True)}
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


def delays(case: dict[str, Any]) -> tuple[dict[str, Fraction | None], DelayRule]:
    rule = RULES.get(case["in"]["scenario"], DelayRule())
    found = {
        stem: first_response_delay_s(annotation(file["sentence"]), transcript(file["output"]), rule)
        for stem, file in case["in"]["files"].items()
        if file["output"] is not None
    }
    return found, rule


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
    for case in cases("duplex_average_latency", 50):
        for key, name in (("latency_stop_list", "avg_latency_stop"), ("latency_resp_list", "avg_latency_resp")):
            values = [Fraction(length) for file in case["in"] for length in lengths(file[key])]
            mean = Mean.of(values)
            assert mean.n == len(values)
            if mean.value is None:
                assert case["out"]["ok"][name] == 0.0  # the published figure for nothing at all; ours is missing
            else:
                assert float(mean.value) == pytest.approx(case["out"]["ok"][name], abs=1e-9)


def test_behaviour_ratios() -> None:
    for case in cases("duplex_behaviour_ratios", 50):
        if "raises" in case["out"]:
            with pytest.raises(NoLabel):
                label_shares([[read_label(each) for each in row["behaviour"]] for row in case["in"]])
            continue
        wanted = case["out"]["ok"]
        shares = label_shares([[read_label(each) for each in row.get("behaviour", [])] for row in case["in"]])
        assert {PUBLISHED[label]: count for label, count in shares.counts.items()} == wanted["counts"]
        assert shares.total == wanted["total"]
        exact = {label: shares.ratio(label) for label in shares.counts}
        ratios = {PUBLISHED[label]: float(value) for label, value in exact.items() if value is not None}
        assert ratios == pytest.approx(wanted["ratios"], abs=1e-9)
        assert {name: round(value, 2) for name, value in ratios.items()} == pytest.approx(wanted["ratios_2dp"])


def test_first_response_delay() -> None:
    for case in cases("duplex_first_response_delay", 94):
        if "raises" in case["out"]:
            with pytest.raises(TooFewSegments):
                delays(case)
            continue
        wanted = case["out"]["ok"]
        found, rule = delays(case)
        kept = kept_delays(found, rule)
        assert {stem: float(kept[stem]) if stem in kept else None for stem in found} == pytest.approx(
            wanted["per_file"], abs=1e-9
        )
        mean = Mean.of(kept.values())
        assert mean.n == (wanted["n_valid"] or 0)
        assert (None if mean.value is None else f"{float(mean.value):.3f}") == wanted["printed_mean"]


def test_rejection_rate() -> None:
    for case in cases("duplex_rejection_rate", 31):
        if "raises" in case["out"]:
            with pytest.raises(TooFewSegments):
                delays(case)
            continue
        wanted = case["out"]["ok"]
        found, _ = delays(case)
        for stem, (delay, counted) in wanted["per_file"].items():
            assert (found[stem] is not None) == counted
            assert (None if found[stem] is None else float(found[stem])) == pytest.approx(delay, abs=1e-9)
        share = published_rejection(found)
        assert (share.hits, share.n) == (wanted["accepted"] or 0, wanted["denominator"] or 0)
        printed = None if share.value is None else f"{float(100 * share.value):.3f}"
        assert printed == wanted["printed_rate_percent"]


def test_clean_audio() -> None:
    done = 0
    for case in cases("duplex_clean_audio", 12):
        if case["fn"] != "clean_wav.process_wav_file":
            continue
        given, wanted = case["in"], case["out"]
        rate = given["sr"]
        samples = np.random.default_rng(given["seed"]).integers(-20000, 20000, int(given["sec"] * rate))
        made = clean_input(samples.astype(np.int16), rate, annotation(given["sentence"]))
        assert (len(made), int((made == 0).sum())) == (wanted["samples"], wanted["zero_count"])
        assert hashlib.sha256(made.astype("<i2").tobytes()).hexdigest() == wanted["sha256_pcm16"]
        done += 1
    assert done == 7
