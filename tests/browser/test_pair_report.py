"""Track 2 in the organisers' report, in a real browser: pairs on time lines that can be heard, and a public page that
holds none of it."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import showcase
import soundfile
from click.testing import CliRunner, Result
from playwright.sync_api import Page
from shown import execute, shown

from harness.challenge.load import load_challenge
from harness.cli.report import command
from harness.documents.codec import to_plain
from harness.documents.leaderboard import Leaderboard
from harness.documents.published import ShownPair, Table
from harness.errors import UsageError
from harness.evaluation.duplex_timing import time_pair
from harness.evaluation.score_files import find_reports
from harness.evaluation.shown_pairs import PairChoice, shown_pairs
from harness.evaluation.tables import tabulate
from harness.reporting.report import render_report

OpenPage = Callable[..., Page]
VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
# scenario, part, language, the vector that is played, the state of the output
PAIRS = (
    ("follow_up", None, "en", "pair06_after_end_en_16000", "ok"),
    ("negation", None, "zh", "pair03_interrupt_stop_zh_8000", "ok"),
    ("pause", None, "en", "pair10_early_start_en_16000", "ok"),
    ("third_party", "before", "zh", "pair09_silent_model_en_16000", "silent"),
    ("termination", None, "en", "pair06_after_end_en_16000", "missing"),
    ("negation", None, "zh", "pair06_after_end_en_16000", "ok"),
)


@dataclass(frozen=True, slots=True)
class Evening:
    run: Path
    inputs: Path
    timings: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def duplex(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """A run directory with one team whose pairs were measured, a baseline, and the organisers' inputs beside it."""
    root = tmp_path_factory.mktemp("duplex")
    run, inputs = root / "run", root / "inputs"
    showcase.duplex_reports(run)
    vectors = json.loads((VECTORS / "duplex_wav_timing.json").read_text("utf-8"))["pairs"]
    known = {each["name"]: each for each in vectors}
    lines, timings = [], {}
    outputs = run / "teams" / "quick-track2" / "outputs"
    for folder in (inputs / "test", outputs / "test"):
        folder.mkdir(parents=True)
    for number, (scenario, part, language, name, state) in enumerate(PAIRS, 1):
        file = f"test-{number:06d}"
        shutil.copy(VECTORS / "wavs" / f"{name}_user.wav", inputs / "test" / f"{file}.wav")
        if state != "missing":
            shutil.copy(VECTORS / "wavs" / f"{name}_model.wav", outputs / "test" / f"{file}_output.wav")
        line: dict[str, Any] = {"file": file, "language": language, "scenario": scenario, "part": part, "state": state}
        line |= {"transcribed": True, "first_response_delay_s": 1.25 if state == "ok" else None}
        line["behaviour"] = ["C_RESPOND"] if scenario == "negation" else None
        lines.append(line)
        timings[file] = known[name]
    where = run / "teams" / "quick-track2" / "scores"
    (where / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return Evening(run, inputs, timings)


def report(evening: Evening, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "harness", "report", evening.run, "--out", out, "--track", "track2", *more]
    return subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)


def invoked(run: Path, out: Path, *more: object) -> Result:
    """The same in this process: for what is refused."""
    return CliRunner().invoke(command, list(map(str, (run, "--out", out, "--track", "track2", *more))))


@pytest.fixture(scope="module")
def inside(duplex: Evening, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page for organisers, made by the commands that the docs show."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "run").symlink_to(duplex.run)
    (folder / "inputs").symlink_to(duplex.inputs)
    (folder / "unpacked").symlink_to(duplex.run / "teams" / "quick-track2" / "outputs")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    execute(shown("how-to/report.md", "humdial report run --out pair.html"), folder, environment)
    assert "test-000006" in (folder / "pair.html").read_text("utf-8")
    return folder / "inside.html"


def opened(watched: OpenPage, path: Path) -> Page:
    page = watched(path)
    page.locator("#track2-quick details.pairs summary").click()
    return page


def test_every_scenario_shows_its_pairs_with_what_was_measured(
    inside: Path, duplex: Evening, watched: OpenPage
) -> None:
    page = opened(watched, inside)
    team = page.locator("#track2-quick details.pairs")
    assert team.locator("h5").all_inner_texts() == [
        "follow up",
        "negation",
        "termination",
        "pause",
        "third party before",
    ]
    assert team.locator("summary").inner_text() == "5 pairs on their time lines"  # one of two zh negations
    follow_up = team.locator("figure.pair", has_text="test-000001")
    for kind, wanted in (("response", "latency_resp_list"), ("stop", "latency_stop_list")):
        told = follow_up.locator(f"g.span.{kind} title").all_text_contents()
        spans = [tuple(map(float, re.findall(r"\d+\.\d{3}", text)))[:2] for text in told]
        expected = [tuple(each) for each in duplex.timings["test-000001"][wanted]]
        assert len(spans) == len(expected) and np.allclose(spans, expected, atol=0.04)
        shown = follow_up.locator("text.tick").all_text_contents()
        assert all(f"{round(end - start, 3):.3f} s" in shown for start, end in spans)
    assert "first response after 1.250 s" in follow_up.inner_text()
    negation = team.locator("figure.pair", has_text="C_RESPOND")
    assert negation.locator("g.span.user").count() >= 2 and negation.locator("g.span.model").count() >= 1
    assert "the output is silent" in team.locator("figure.pair", has_text="test-000004").inner_text()
    missing = team.locator("figure.pair", has_text="test-000005")
    assert "the output is missing" in missing.inner_text()
    assert missing.locator("text.tick", has_text="not measured").count() == 3  # model, stop, response gap


def test_a_pair_is_heard_in_the_browser_and_the_line_follows(inside: Path, watched: OpenPage) -> None:
    page = opened(watched, inside)
    figure = page.locator("figure.pair", has_text="test-000001")
    audio, line = figure.locator("audio"), figure.locator("line.playhead")
    picture = figure.locator("svg")
    box = picture.bounding_box()
    assert box is not None
    wide, left, right = (float(picture.evaluate(f"each => {what}")) for what in (
        "each.viewBox.baseVal.width", "each.dataset.left", "each.dataset.right"
    ))  # fmt: skip
    half = (left + right) / 2
    picture.click(position={"x": box["width"] * half / wide, "y": box["height"] / 2})
    page.wait_for_function("audio => !audio.paused && audio.currentTime > 0", arg=audio.element_handle())
    duration, heard = audio.evaluate("each => [each.duration, each.currentTime]")
    assert duration == pytest.approx(251_780 / 16_000, abs=0.01)
    assert duration / 2 - 0.1 <= heard
    page.wait_for_function(
        "([audio, was]) => audio.currentTime > was", arg=[audio.element_handle(), heard]
    )  # it goes on, so it plays
    assert float(line.get_attribute("x1") or 0) >= half - 1
    other = page.locator("figure.pair", has_text="test-000003")
    other.locator("svg").click()
    page.wait_for_function("audio => !audio.paused", arg=other.locator("audio").element_handle())
    assert audio.evaluate("each => each.paused")


def test_what_is_heard_is_the_user_left_and_the_model_right(inside: Path, duplex: Evening) -> None:
    uri = re.search(r"data:audio/flac;base64,([^\"]+)", inside.read_text("utf-8"))
    assert uri is not None
    both, rate = soundfile.read(io.BytesIO(base64.b64decode(uri[1])), dtype="int16")
    user, _ = soundfile.read(duplex.inputs / "test" / "test-000001.wav", dtype="int16")
    model, _ = soundfile.read(
        duplex.run / "teams" / "quick-track2" / "outputs" / "test" / "test-000001_output.wav", dtype="int16"
    )
    assert rate == 16_000
    assert np.array_equal(both[: len(user), 0], user) and np.array_equal(both[: len(model), 1], model)


def test_the_public_page_holds_no_audio_and_no_pair_whatever_it_is_given(
    duplex: Evening, inside: Path, tmp_path: Path
) -> None:
    done = report(duplex, tmp_path / "public.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "public.html").read_text("utf-8")
    private = inside.read_text("utf-8")
    assert "audio/flac" in private and "media-src data:" in private and "test-000001" in private
    for secret in ("audio/flac", "<audio", "media-src", "test-000", "C_RESPOND", 'class="pair'):
        assert secret not in page
    for option in (("--inputs", duplex.inputs), ("--pair", "test-000001"), ("--outputs", f"quick={duplex.inputs}")):
        refused = invoked(duplex.run, tmp_path / "refused.html", *option)
        assert refused.exit_code == 2 and "organiser" in refused.output
        assert not (tmp_path / "refused.html").exists()
    challenge = load_challenge()
    found, unscored = find_reports([duplex.run])
    table = tabulate(found, unscored, challenge, "track2")
    board: Leaderboard = table.board
    pairs = shown_pairs(found, challenge, PairChoice(inputs=duplex.inputs))
    assert any(pair.audio for pair in pairs["quick"])
    with_pairs = render_report([Table(board, pairs=pairs)], challenge, "public")
    assert with_pairs == render_report([Table(board)], challenge, "public") == page.encode()


def test_chosen_pairs_other_folders_and_audio_that_is_not_what_was_scored(duplex: Evening, tmp_path: Path) -> None:
    challenge = load_challenge()
    run = tmp_path / "run"
    shutil.copytree(duplex.run, run)
    team = run / "teams" / "quick-track2"
    (team / "outputs").rename(tmp_path / "elsewhere")
    lines = [json.loads(line) for line in (team / "scores" / "pairs.jsonl").read_text("utf-8").splitlines()]
    lines[0] |= {"user": [[0.5, 2.5]], "model": [[9.0, 9.5]], "stop": [], "response": [[2.5, 9.0]]}
    heard = tmp_path / "elsewhere" / "test" / "test-000003_output.wav"
    lines[2] |= to_plain(time_pair(duplex.inputs / "test" / "test-000003.wav", heard, challenge))
    (team / "scores" / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    found, _ = find_reports([run])

    def chosen(**choice: Any) -> dict[str, ShownPair]:
        return {pair.file: pair for pair in shown_pairs(found, challenge, PairChoice(**choice))["quick"]}

    stored = chosen(per_case=2)  # nothing is heard: what was stored is drawn, the rest is not measured
    assert len(stored) == 6 and stored["test-000001"].response == ((2.5, 9.0),)
    assert stored["test-000002"].user is None and all(pair.audio is None for pair in stored.values())
    alone = chosen(per_case=0, names=("test-000002",), inputs=duplex.inputs)["test-000002"]
    assert alone.model is None and "--outputs" in alone.notes[0]
    given = chosen(inputs=duplex.inputs, outputs={"quick": tmp_path / "elsewhere"})
    assert given["test-000001"].response == ((2.5, 9.0),) and "not what was scored" in given["test-000001"].notes[0]
    assert given["test-000003"].model and not given["test-000003"].notes  # the very intervals that were scored
    # A team's folder that leads elsewhere is not followed.
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "test").symlink_to(tmp_path / "elsewhere" / "test")
    followed = chosen(per_case=2, inputs=duplex.inputs, outputs={"quick": tmp_path / "linked"})["test-000006"]
    assert followed.model is None and followed.notes


def test_what_cannot_be_shown_is_a_clear_error(duplex: Evening, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    unnamed = invoked(duplex.run, out, "--audience", "organiser", "--outputs", "quick")
    assert unnamed.exit_code == 2 and "TEAM=DIR" in unnamed.output
    for option, words in (("--pair", "test-999999"), "test-999999"), (("--outputs", f"nobody={tmp_path}"), "nobody"):
        refused = invoked(duplex.run, out, "--audience", "organiser", *option).exception
        assert isinstance(refused, UsageError) and words in str(refused)
    run = tmp_path / "run"
    shutil.copytree(duplex.run, run)
    lines = run / "teams" / "quick-track2" / "scores" / "pairs.jsonl"
    good = json.loads(lines.read_text("utf-8").splitlines()[0])
    never = {**good, "first_response_delay_s": float("nan")}
    leads_away = {**good, "file": "../../secret"}
    for broken in ("not json", "[]", *map(json.dumps, (leads_away, {**good, "user": [[1]]}, never))):
        lines.write_text(broken + "\n", "utf-8")
        refused = invoked(run, out, "--audience", "organiser").exception
        assert isinstance(refused, UsageError) and refused.code == "E_DOCUMENT", broken
    assert not out.exists()
