"""Full-duplex outputs whose words and labels nobody gives: a real recogniser and a real judge, in their containers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.duplex.transcripts import read_transcript
from harness.evaluation.judge_image import JudgeImage

pytestmark = [pytest.mark.engine, pytest.mark.judge]
Humdial = Callable[..., subprocess.CompletedProcess[str]]
KEPT = {("en", "follow_up"), ("en", "backchannel"), ("zh", "follow_up")}
MANIFEST = {"schema_version": 1, "team": "partner", "display_name": "P", "system": "p-1", "tracks": ["track2"]}


@pytest.fixture(scope="module")
def few(duplex_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three inputs of the sample and what its program says to them, run here without a container."""
    root = tmp_path_factory.mktemp("few")
    rows = [json.loads(line) for line in (duplex_sample / "inputs/key.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if (row["language"], row["scenario"]) in KEPT]
    for row in rows:
        for name in (row["file"], row["clean"]):
            target = root / "inputs" / name.split("-")[0] / f"{name}.wav"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((duplex_sample / "inputs" / name.split("-")[0] / target.name).read_bytes())
    (root / "inputs/key.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    environment = {**os.environ, "HUMDIAL_INPUT": str(root / "inputs"), "HUMDIAL_OUTPUT": str(root / "team")}
    subprocess.run([sys.executable, duplex_sample / "team/main.py"], env=environment, check=True)
    import made

    languages = {"languages": ["zh", "en"], "resources": [{"kind": "model", "name": "m"}]}
    manifest = {**MANIFEST, **languages, "declarations": {"no_commercial_tts": True}}
    (root / "team/submission.json").write_text(json.dumps(manifest))
    (root / "team/system_description.pdf").write_bytes(made.pdf())
    return root


@pytest.fixture(scope="module")
def scored(few: Path, judge: JudgeImage, humdial: Humdial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Chinese outputs come with ready words; the English ones are written down."""
    out = tmp_path_factory.mktemp("scored")
    row = next(row for row in _key(few) if row["language"] == "zh")
    for name, chunks in (
        (row["file"], [["好的", 4.2, 4.8], ["我来回答", 9.6, 10.4]]),
        (row["clean"], [["好的", 4.2, 4.8]]),
    ):
        path = out / "given" / name.split("-")[0] / f"{name}_output.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        words = [{"text": text, "timestamp": [start, end]} for text, start, end in chunks]
        path.write_text(json.dumps({"text": "", "chunks": words}))
    given = ("--references", few / "inputs", "--transcripts", out / "given", "--out", out / "score")
    done = humdial("score", few / "team", *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "writing down 4 outputs with the recogniser small" in done.stderr
    return out / "score"


def _key(few: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (few / "inputs/key.jsonl").read_text("utf-8").splitlines()]


def _pairs(scored: Path) -> dict[tuple[str, str], dict[str, Any]]:
    lines = [json.loads(line) for line in (scored / "pairs.jsonl").read_text("utf-8").splitlines()]
    return {(line["language"], line["scenario"]): line for line in lines}


def test_the_words_are_those_that_were_spoken_and_lie_where_they_were(few: Path, scored: Path) -> None:
    row = next(row for row in _key(few) if (row["language"], row["scenario"]) == ("en", "follow_up"))
    data = (scored / "words/test" / f"{row['file']}_output.json").read_bytes()
    found = read_transcript(data, row["final_duration"])
    heard = [word.text.strip(",.").lower() for word in found.words]
    assert {"begin", "short", "list", "answer", "simple"} <= set(heard)
    again = next(word for word in found.words if word.text.lower().startswith(("all", "alright")))
    answered_s = row["speech_segments"][1]["xmax"] + 0.9  # after the pause that the program waits out
    assert again.start_s == pytest.approx(answered_s, abs=0.3)
    line = _pairs(scored)["en", "follow_up"]
    assert line["first_response_delay_s"] == pytest.approx(found.words[0].start_s - row["speech_segments"][0]["xmax"])


def test_an_interruption_is_answered_and_a_yeah_is_not(scored: Path) -> None:
    pairs = _pairs(scored)
    assert pairs["en", "follow_up"]["behaviour"] == ["RESPOND"]
    assert pairs["en", "backchannel"]["behaviour"] == ["RESUME"]
    assert pairs["zh", "follow_up"]["behaviour"] is not None


def test_the_report_names_who_heard_and_who_labelled_and_is_not_official(scored: Path) -> None:
    report = json.loads((scored / "report.json").read_text("utf-8"))
    assert report["judge"]["profile"] == "small" and report["judge"]["official"] is False
    assert report["canaries"]["passed"], report["canaries"]
    measures = report["measures"]
    assert measures["labels_from"] == "small" and measures["words_by"]["recogniser"] == "small"
    beside = measures["en"]["unranked"]
    assert beside["naturalness"]["n"] == beside["dnsmos"]["n"] == 2
    assert 1 <= beside["naturalness"]["mean"] <= 5 and 1 <= beside["dnsmos"]["mean"] <= 5


def test_the_words_that_were_left_can_be_given_and_change_nothing(
    few: Path, scored: Path, humdial: Humdial, tmp_path: Path
) -> None:
    """No recogniser is asked again, and every verdict is known: only the way of the words is another."""
    given = ("--references", few / "inputs", "--transcripts", scored / "words", "--recogniser", "none")
    done = humdial("score", few / "team", *given, "--out", tmp_path / "again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "again/pairs.jsonl").read_bytes() == (scored / "pairs.jsonl").read_bytes()
