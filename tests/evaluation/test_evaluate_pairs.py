"""A full-duplex track in one run: real outputs are listened to, words are ready, the verdicts are stored."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import published
from command import here
from pair_bench import PairBench

from harness.challenge.load import load_challenge
from harness.evaluation.answering import reading_of
from harness.evaluation.blobs import Blobs
from harness.evaluation.journal import Journal, scan
from harness.evaluation.run_io import RunIO


@pytest.fixture(scope="module")
def run(pairs: PairBench) -> Path:
    """The finished evaluation. Not to be changed."""
    out = pairs.folder / "run"
    code, said = pairs.evaluate(out)
    assert code == 0, said
    return out


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "moved"))


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No engine, no stored verdicts: what a run keeps must do."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path / "empty"))
    yield


def _report(run: Path, team: str = "alpha") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "teams" / team / "scores" / "report.json").read_bytes())
    return found


def test_what_each_team_gets(run: Path) -> None:
    english = _report(run)["measures"]["en"]
    assert english["interruption"]["follow_up"] == 1.0 and english["rejection"]["pause"] == 1.0
    assert english["first_response_delay_s"]["follow_up"] == pytest.approx(10.8 - 3.409)
    assert english["stop_latency_s"]["follow_up"] == pytest.approx(1.116, abs=0.04)
    assert english["unranked"]["naturalness"] == {"mean": 4.0, "n": 2}
    assert _report(run)["measures"]["delays"] == "handed_in" and _report(run)["measures"]["labels_from"] == "small"
    board = json.loads((run / "leaderboard.json").read_bytes())
    ranks = {row["team"]: row["rank"] for row in board["rows"]}
    assert ranks["alpha"] == ranks["delta"] == 1 and ranks["gamma"] is None and not board["official"]
    assert "invalid submission" in json.dumps([row for row in board["rows"] if row["team"] == "gamma"])
    assert {path.name for path in (run / "teams/alpha/scores").iterdir()} == {"report.json", "pairs.jsonl"}
    events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
    assert {event["stage"] for event in events} == {None, "prepare", "hear", "judge"}
    assert events[-1]["steps_done"] == events[-1]["steps"]


def test_a_team_gets_what_score_alone_gives_it(pairs: PairBench, run: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"file": "test-000001", "behaviour": ["RESPOND"]}\n', "utf-8")
    given = ("--references", pairs.dev, "--transcripts", pairs.folder / "words/alpha", "--labels", labels)
    code, said = here("score", pairs.folder / "alpha", *given, "--out", tmp_path / "out", "--challenge", pairs.spec)
    assert code == 0, said
    alone, ours = json.loads((tmp_path / "out/report.json").read_bytes()), _report(run)
    for plain in (alone, ours):
        for name in ("labels_from", "unranked"):
            plain["measures"].pop(name, None)
            plain["measures"]["en"].pop(name, None)
        assert plain.pop("judge")["official"] is False
        plain.pop("canaries")
    assert alone == ours


def test_labels_are_read_alike_by_evaluate_and_score_under_every_policy() -> None:
    """The published scripts' lenient reading is for marks; a label is one of three words, whoever asks for it."""
    challenge = load_challenge()
    assert [reading_of(challenge, track, "published") for track in ("track1", "track2")] == ["published", "strict"]
    assert {reading_of(challenge, track, "strict") for track in ("track1", "track2")} == {"strict"}


def test_order_and_workers_change_no_byte_and_a_finished_run_does_nothing(
    pairs: PairBench, run: Path, tmp_path: Path
) -> None:
    code, said = pairs.evaluate_apart(tmp_path / "run", "--jobs", "2", teams="swapped.toml")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)
    before = (tmp_path / "run/journal.jsonl").read_bytes()
    assert pairs.evaluate(tmp_path / "run")[0] == 0
    assert (tmp_path / "run/journal.jsonl").read_bytes() == before


def test_killed_after_each_record(pairs: PairBench, tmp_path: Path) -> None:
    """And what a finished task made for the next one is gone."""
    code, said = pairs.evaluate(tmp_path / "clean", teams="two.toml")
    assert code == 0, said
    lines = (tmp_path / "clean/journal.jsonl").read_bytes().splitlines(keepends=True)
    events = {json.loads(line)["event"]: number for number, line in enumerate(lines, 1) if b'"alpha"' in line}
    assert list(events) == ["prepared", "counted", "heard", "judged", "scored"]
    for event in ("counted", "heard", "judged"):
        out = Path(shutil.copytree(tmp_path / "clean", tmp_path / f"after-{event}"))
        (out / "journal.jsonl").write_bytes(b"".join(lines[: events[event]]))
        shutil.rmtree(out / ".work", ignore_errors=True)
        code, said = pairs.evaluate(out, teams="two.toml")
        assert code == 0, said
        assert published(out) == published(tmp_path / "clean")
    code, said = pairs.evaluate(tmp_path / "killed", teams="two.toml", HD_FAULT="write:9:kill9")
    assert code == -signal.SIGKILL, said
    assert pairs.evaluate(tmp_path / "killed", teams="two.toml")[0] == 0
    assert published(tmp_path / "killed") == published(tmp_path / "clean")


def test_a_table_that_cannot_be_made_is_refused_and_loses_nothing(pairs: PairBench, tmp_path: Path) -> None:
    """Without the baseline there is no delay score."""
    for _ in range(2):
        code, said = pairs.evaluate(tmp_path / "run", teams="alone.toml")
        assert (code, "refused: the delay score is not defined" in said) == (1, True), said
        assert not list((tmp_path / "run").glob("leaderboard.*"))
    assert _report(tmp_path / "run")["measures"]["en"]["interruption"]["follow_up"] == 1.0
    code, said = here("verify", tmp_path / "run", "-f", "json")
    assert (code, json.loads(said)["published"]) == (0, False), said


def test_on_a_cluster_it_is_the_same(pairs: PairBench, run: Path, tmp_path: Path) -> None:
    code, said = pairs.evaluate_apart(tmp_path / "run", "--executor", "ray")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)


@pytest.mark.usefixtures("nothing_else")
def test_the_run_alone_is_enough_to_verify_it(pairs: PairBench, copy: Path) -> None:
    code, said = here("verify", copy, "-f", "json")
    found = json.loads(said)
    assert code == 0 and found["verified"] and found["published"], said
    assert found["checked"]["items"] == 6 and found["not_stored"] == ["alpha", "baseline", "delta", "gamma"]
    code, said = here("verify", copy, "--hand-ins", pairs.folder / "teams.toml")
    assert code == 0, said


@pytest.mark.usefixtures("nothing_else")
def test_speech_that_the_outputs_do_not_have_is_found(pairs: PairBench, copy: Path) -> None:
    """In a run in which every digest is right, since somebody made all of them anew."""
    io, records = RunIO(copy), scan(copy / "journal.jsonl").records
    (copy / "journal.jsonl").unlink()
    journal, blobs = Journal(io, copy / "journal.jsonl"), Blobs(io, copy / "blobs")
    for record in records:
        data = dict(record.data)
        if record.event == "heard" and data["team"] == "alpha":
            data["speech"] = blobs.put(blobs.get(data["speech"]).replace(b"[10.8", b"[10.1"))
        journal.append((record.event, data))
    journal.close()
    code, said = here("verify", copy, "--hand-ins", pairs.folder / "teams.toml")
    assert code == 1 and "what comes from the files of alpha" in said, said


@pytest.mark.usefixtures("nothing_else")
@pytest.mark.parametrize("key", ["speech", "words"])
def test_what_was_heard_cannot_be_changed(copy: Path, key: str) -> None:
    heard = next(row for row in map(json.loads, (copy / "journal.jsonl").open()) if row["event"] == "heard")["data"]
    path = copy / "blobs" / heard[key][:2] / heard[key]
    path.write_bytes(path.read_bytes().replace(b"14.", b"12.") + b" ")
    code, said = here("verify", copy)
    assert code == 1 and heard[key][:12] in said


@pytest.mark.usefixtures("nothing_else")
def test_scored_again_without_audio(run: Path, copy: Path, tmp_path: Path) -> None:
    code, said = here("rescore", copy, "--out", tmp_path / "same")
    assert code == 0 and "items scored otherwise: none" in said, said
    for name, data in published(run).items():
        assert (tmp_path / "same" / name).read_bytes() == data
    code, said = here("rescore", copy, "--policy", "published", "--out", tmp_path / "published")
    assert code == 0, said
    assert _report(tmp_path / "published")["policy"] == "published"


@pytest.mark.usefixtures("nothing_else")
def test_a_spec_that_hears_otherwise_cannot_score_it_again(pairs: PairBench, copy: Path, tmp_path: Path) -> None:
    spec = pairs.spec.read_text("utf-8")
    other = tmp_path / "other.toml"
    other.write_text(spec.replace('voice_activity = "silero-vad 6.2"', 'voice_activity = "silero-vad 6"'), "utf-8")
    assert other.read_text("utf-8") != spec
    code, said = here("rescore", copy, "--challenge", other, "--out", tmp_path / "out")
    assert (code, "E_PIN" in said) == (2, True), said


def test_what_it_was_begun_with_is_pinned(pairs: PairBench, copy: Path, tmp_path: Path) -> None:
    code, said = pairs.evaluate(copy, "--delay-from", "voice")
    assert (code, "E_PIN" in said, "hearing.delay_from was words" in said) == (2, True, True), said


def test_inputs_that_are_not_those_of_the_references_are_refused(pairs: PairBench, tmp_path: Path) -> None:
    inputs = Path(shutil.copytree(pairs.dev, tmp_path / "inputs"))
    (inputs / "key.jsonl").unlink()
    code, said = pairs.evaluate(tmp_path / "without-key", "--inputs", str(inputs), teams="two.toml")
    assert code == 0, said
    (inputs / "test/test-000007.wav").unlink()
    code, said = pairs.evaluate(tmp_path / "run", "--inputs", str(inputs))
    assert (code, "E_GOLD" in said, "test/test-000007.wav" in said) == (2, True, True), said
    assert not (tmp_path / "run").exists()


def test_words_that_cannot_be_used_stop_their_team_alone_until_they_are_corrected(
    pairs: PairBench, run: Path, tmp_path: Path
) -> None:
    words = Path(shutil.copytree(pairs.folder / "words", tmp_path / "words"))
    for path in (words / "alpha").rglob("*.json"):
        path.write_text("[]", "utf-8")
    next((words / "delta").rglob("*.json")).unlink()
    out = tmp_path / "run"
    code, said = pairs.evaluate(out, "--transcripts", str(words))
    assert (code, "unfinished: alpha" in said, "E_TRANSCRIPT" in said) == (3, True, True), said
    assert "1 outputs of delta have no words" in said
    assert not list(out.glob("leaderboard.*")) and (out / "teams/baseline/scores/report.json").is_file()
    code, said = pairs.evaluate(out)
    assert code == 0, said
    assert published(out) == published(run)


@pytest.mark.usefixtures("nothing_else")
def test_nothing_begins_where_nobody_writes_words_down(pairs: PairBench, tmp_path: Path) -> None:
    arguments = pairs.arguments(tmp_path / "run")
    place = arguments.index("--transcripts")
    code, said = here(*arguments[:place], *arguments[place + 2 :])
    assert (code, "E_CONFIG" in said, "nobody writes down what is said in en" in said) == (2, True, True), said
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def attempts(pairs: PairBench) -> Path:
    """A run in which a team has handed in twice; the second counts, and the late one does not."""
    lines = ["[[team]]", 'name = "alpha"', 'track = "track2"']
    for source, day in (("baseline", "2025-11-20"), ("alpha", "2025-11-22"), ("baseline", "2026-02-01")):
        lines += ["[[team.attempt]]", f'submission = "{source}"', f"submitted_at = {day}T08:00:00Z"]
    # The manifests name their teams; an archive may come without one only from an image, so the copies are alpha's.
    for source in ("alpha", "baseline"):
        folder = pairs.folder / f"alpha-{source}"
        shutil.copytree(pairs.folder / source, folder)
        shutil.copyfile(pairs.folder / "alpha/submission.json", folder / "submission.json")
    text = (
        "\n".join(lines)
        .replace('"baseline"', '"alpha-baseline"')
        .replace('submission = "alpha"', 'submission = "alpha-alpha"')
    )
    rows = (pairs.folder / "two.toml").read_text("utf-8").split("[[team]]")
    (pairs.folder / "attempts.toml").write_text(text + "\n\n[[team]]" + rows[2], "utf-8")
    words = pairs.folder / "attempted"
    shutil.copytree(pairs.folder / "words/alpha", words / "alpha/2")
    shutil.copytree(pairs.folder / "words/baseline", words / "baseline")
    out = pairs.folder / "attempts"
    code, said = pairs.evaluate(out, "--transcripts", str(words), teams="attempts.toml")
    assert code == 0, said
    return out


def test_the_last_attempt_in_time_is_heard_with_its_own_words(run: Path, attempts: Path) -> None:
    assert (attempts / "teams/alpha/scores/pairs.jsonl").read_bytes() == (
        run / "teams/alpha/scores/pairs.jsonl"
    ).read_bytes()
    entries = [json.loads(line)["data"] for line in (attempts / "ledger.jsonl").read_text("utf-8").splitlines()]
    counted = {each["attempt"]: (each["counts"], each["late"]) for each in entries if each["team"] == "alpha"}
    assert counted == {1: (False, False), 2: (True, False), 3: (False, True)}


@pytest.mark.usefixtures("nothing_else")
def test_another_attempt_is_not_scored_with_what_was_heard_of_this_one(
    pairs: PairBench, attempts: Path, tmp_path: Path
) -> None:
    spec = pairs.spec.read_text("utf-8")
    earlier = tmp_path / "earlier.toml"
    earlier.write_text(re.sub(r"deadline = .*", 'deadline = "2025-11-21T00:00:00Z"', spec), "utf-8")
    copy = shutil.copytree(attempts, tmp_path / "copy")
    code, said = here("rescore", copy, "--challenge", earlier, "--out", tmp_path / "out")
    assert (code, "nobody listened to attempt 1 of alpha" in said) == (1, True), said


def test_an_input_that_is_left_out_and_one_that_comes_back(pairs: PairBench, tmp_path: Path) -> None:
    spec = pairs.spec.read_text("utf-8")
    without = tmp_path / "without.toml"
    without.write_text(re.sub(r"excluded = .*", 'excluded = ["test-000007"]', spec), "utf-8")
    code, said = pairs.evaluate(tmp_path / "run", "--challenge", str(without), teams="alone.toml")
    assert (code, "refused: the delay score" in said) == (1, True), said  # nor would there be one without a pause
    assert _report(tmp_path / "run")["measures"]["en"]["outputs"] == {"ok": 1}
    code, said = here("rescore", tmp_path / "run", "--challenge", pairs.spec, "--out", tmp_path / "out")
    assert (code, "nobody listened to 1 outputs of alpha" in said) == (1, True), said
