"""`humdial score` and `humdial leaderboard` on a small Track 2 set with real speech, ready words and ready labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from command import here, humdial
from pair_set import only
from test_judge_server import completion, serving

from harness.resources import data_dir


def score(root: Path, out: Path, *options: object) -> dict[str, Any]:
    given = ("--transcripts", root / "words", "--labels", root / "labels.jsonl", "--out", out, *options)
    code, said = here("score", root / "team", "--references", root / "inputs", *given)
    assert code == 0, said
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


@pytest.fixture(scope="module")
def alpha(challenge_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scoring the set leaves."""
    out = tmp_path_factory.mktemp("scored") / "alpha"
    given = ("--transcripts", challenge_set / "words", "--labels", challenge_set / "labels.jsonl", "--out", out)
    humdial("score", challenge_set / "team", "--references", challenge_set / "inputs", *given)
    return out


def test_from_audio_to_the_table(alpha: Path, tmp_path: Path) -> None:
    report = json.loads((alpha / "report.json").read_text())
    english = report["measures"]["en"]
    assert english["interruption"] == dict.fromkeys(english["interruption"], 1.0)
    assert english["rejection"] == dict.fromkeys(english["rejection"], 1.0)
    assert english["response_latency_s"]["follow_up"] == pytest.approx((0.74 + 0.772) / 2, abs=0.04)
    assert english["stop_latency_s"]["follow_up"] is None  # this system never spoke over the user
    assert english["n"]["stop_latency_s"]["follow_up"] == 0
    assert english["first_response_delay_s"]["follow_up"] == 11.516
    assert english["first_response_delay_s"]["third_party"] == pytest.approx((11.516 + 2.014) / 2)
    assert report["measures"]["voice_activity"].startswith("silero-vad 6.2")
    assert report["judge"]["official"] is False

    # Neither an overlap nor all scenarios in Chinese: no total; the table says so instead of calling it fast.
    typed = {"interruption": {"zh": 50, "en": 50}, "rejection": {"zh": 50, "en": 50}}
    for team, delay, baseline in (("beta", 1.0, False), ("baseline", 2.0, True)):
        plain = {**report, "team": team, "baseline": baseline, "measures": {**typed, "total_delay_s": delay}}
        (tmp_path / team).mkdir()
        (tmp_path / team / "report.json").write_text(json.dumps(plain))
    table = humdial("leaderboard", alpha, tmp_path / "beta", tmp_path / "baseline")
    assert "no final score, not measured" in table.stdout and "60.0" in table.stdout and "NOT OFFICIAL" in table.stdout


def test_a_pair_is_measured_alike_in_every_company(few: Path, alpha: Path, tmp_path: Path) -> None:
    """Twice the same bytes; and the lines of a few pairs are those that they had among many."""
    for name in ("a", "b"):
        score(few, tmp_path / name)
    for name in ("report.json", "pairs.jsonl", "validation.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    lines = (tmp_path / "a/pairs.jsonl").read_bytes().splitlines()
    assert len(lines) == 2 and set(lines) < set((alpha / "pairs.jsonl").read_bytes().splitlines())


def test_words_that_nobody_wrote_down_are_told_and_never_a_delay(few: Path, tmp_path: Path) -> None:
    root = shutil.copytree(few, tmp_path / "set")
    (root / "words/test/test-000001_output.json").unlink()
    given = ("--references", root / "inputs", "--labels", root / "labels.jsonl", "--transcripts", root / "words")
    done = humdial("score", root / "team", *given, "--recogniser", "none", "--out", tmp_path / "out")
    assert "without words: 1 of 2 outputs, test-000001 first; their scenarios have no first response" in done.stderr
    measures = json.loads((tmp_path / "out/report.json").read_text())["measures"]["en"]
    assert measures["first_response_delay_s"]["follow_up"] is None
    assert measures["n"]["first_response_delay_s"]["follow_up"] == 0
    assert measures["first_response_delay_s"]["pause"] == 11.516 and measures["interruption"]["follow_up"] == 1.0


def test_the_onset_of_voice_in_the_place_of_words(few: Path, tmp_path: Path) -> None:
    voice = score(few, tmp_path / "c", "--delay-from", "voice")["measures"]
    assert voice["en"]["first_response_delay_s"]["follow_up"] == pytest.approx(3.298 - 2.484, abs=0.04)
    assert voice["delay_from"] == "voice" and "voice activity" in voice["note"]


def chunks(*times: tuple[object, object]) -> str:
    return json.dumps({"text": "", "chunks": [{"text": "w", "timestamp": list(each)} for each in times]})


@pytest.mark.parametrize(
    ("words", "labels", "code"),
    [
        (chunks((5.0, 5.2), (1.0, 1.2)), None, "E_TRANSCRIPT_ORDER"),
        (chunks((float("nan"), 1.0)), None, "E_TRANSCRIPT_TIME"),
        (chunks((20.0, 90.0)), None, "E_TRANSCRIPT_TIME"),
        ("[]", None, "E_TRANSCRIPT"),
        (None, '{"file": "test-000001", "behaviour": "MAYBE"}', "E_LABEL"),
        (None, '{"file": "test-000001", "behaviour": []}', "E_LABEL"),
        (None, '{"file": "test-000099", "behaviour": ["RESPOND"]}', "E_LABEL"),
        (None, '{"file": "test-000001", "behaviour": "RESPOND"}\n' * 2, "E_LABEL"),
        (None, "[" * 100_000, "E_LABEL"),
        (None, "\udcff", "E_LABEL"),
    ],
    ids=[
        *("out of order", "NaN", "outside the file", "no transcript"),
        *("another label", "no label", "another input", "twice", "deep", "no text"),
    ],
)
def test_words_and_labels_that_cannot_be_used_stop_the_score(
    few: Path, tmp_path: Path, words: str | None, labels: str | None, code: str
) -> None:
    (tmp_path / "words/test").mkdir(parents=True)
    if words is not None:
        (tmp_path / "words/test/test-000001_output.json").write_text(words)
    (tmp_path / "labels.jsonl").write_bytes((labels or "").encode(errors="surrogateescape"))
    given = ("--transcripts", tmp_path / "words", "--labels", tmp_path / "labels.jsonl", "--out", tmp_path / "out")
    exit_code, said = here("score", few / "team", "--references", few / "inputs", *given)
    assert exit_code == 2 and f"[{code}]" in said
    assert not (tmp_path / "out/report.json").exists()


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (np.full((251_780, 2), 900), "E_WAV_CHANNELS"),
        (np.full(251_780 + 31 * 16_000, 900), "E_PAIR_LENGTH"),
        (np.zeros(0), "E_WAV_DUR"),
    ],
    ids=["stereo", "longer", "empty"],
)
def test_an_output_that_cannot_be_measured_is_named_and_nothing_is_scored(
    few: Path, tmp_path: Path, samples: Any, code: str
) -> None:
    root = shutil.copytree(few, tmp_path / "set")
    soundfile.write(root / "team/test/test-000001_output.wav", samples.astype(np.int16), 16_000, subtype="PCM_16")
    given = ("--references", root / "inputs", "--labels", root / "labels.jsonl", "--out", tmp_path / "out")
    exit_code, said = here("score", root / "team", *given)
    assert exit_code == 1 and code in said and "test-000001_output.wav" in said
    assert not (tmp_path / "out/report.json").exists()


def test_stereo_is_measured_where_the_spec_mixes_it(few: Path, alpha: Path, tmp_path: Path) -> None:
    """Both channels alike: mixed they are the mono file, and its line is the same."""
    root = shutil.copytree(few, tmp_path / "set")
    output = root / "team/test/test-000001_output.wav"
    samples, rate = soundfile.read(output, dtype="int16")
    soundfile.write(output, np.stack([samples, samples], axis=1), rate, subtype="PCM_16")
    spec = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
    mixing = tmp_path / "mixing.toml"
    mixing.write_text(spec.replace("downmix_stereo = false", "downmix_stereo = true"), "utf-8")
    score(root, tmp_path / "out", "--challenge", mixing)
    first = (tmp_path / "out/pairs.jsonl").read_bytes().splitlines()[0]
    assert first == (alpha / "pairs.jsonl").read_bytes().splitlines()[0]


def test_a_key_that_cannot_be_measured_from_stops_run_and_score(few: Path, tmp_path: Path) -> None:
    root = shutil.copytree(few, tmp_path / "set")
    key = root / "inputs/key.jsonl"
    first, second = key.read_text().splitlines()
    one = json.loads(first)
    one["speech_segments"] = one["speech_segments"][:1]
    for line, words in (
        (json.dumps(one), "has 1 segment(s), follow_up needs 2"),
        (first.replace("11.986", "NaN"), "NaN"),
        (first.replace("11.986", "99.0"), "ends at 99.0 s"),
    ):
        key.write_text(f"{line}\n{second}\n")
        for command in (("score", root / "team", "--references"), ("run", "some-image:1", "--inputs")):
            code, said = here(*command, root / "inputs", "--out", tmp_path / "out")
            assert code == 2 and "[E_GOLD]" in said and words in said


def test_a_silent_output_is_listed_and_counted(few: Path, tmp_path: Path) -> None:
    root = shutil.copytree(few, tmp_path / "set")
    soundfile.write(root / "team/test/test-000001_output.wav", np.zeros(251_780), 16_000, subtype="PCM_16")
    report = score(root, tmp_path / "out")
    validation = json.loads((tmp_path / "out/validation.json").read_text())
    assert [finding["code"] for finding in validation["findings"]] == ["W_PAIR_SILENT"]
    assert report["measures"]["en"]["outputs"] == {"ok": 1, "silent": 1}
    assert report["measures"]["en"]["interruption"]["follow_up"] == 0.0
    line = json.loads((tmp_path / "out/pairs.jsonl").read_text().splitlines()[0])
    assert line["state"] == "silent" and line["user"] and "model" not in line and "stop" not in line
    # The whole interruption: 1.739 s by the annotation, a little more as it is heard.
    assert report["measures"]["en"]["stop_latency_s"]["follow_up"] == pytest.approx(1.82, abs=0.04)


def test_a_server_of_the_users_labels_what_nobody_labelled(challenge_set: Path, tmp_path: Path) -> None:
    """It answers with the first value that each question allows: every label is RESPOND, every mark the lowest."""
    seen: list[tuple[dict[str, Any], dict[str, str]]] = []

    def answer(body: dict[str, Any], _: int) -> tuple[int, bytes]:
        asked = body["response_format"]["json_schema"]["schema"]["properties"]["scores"]["properties"]
        scores = {name: question["enum"][0] for name, question in asked.items()}
        return 200, completion(json.dumps({"scores": scores, "reasons": dict.fromkeys(scores, "So.")}))

    root = only(challenge_set, tmp_path / "set", *(f"test-00000{number}" for number in (1, 6, 8, 9)))
    with serving(answer, seen) as url:
        given = ("--transcripts", root / "words", "--recogniser", "none", "--out", tmp_path / "out")
        server = ("--judge", "openai", "--judge-url", url, "--judge-model", "m")
        code, said = here("score", root / "team", "--references", root / "inputs", *given, *server)
    assert code == 0, said
    report = json.loads((tmp_path / "out/report.json").read_text())
    english = report["measures"]["en"]
    assert english["interruption"]["follow_up"] == 1.0 and english["rejection"]["backchannel"] == 0.0
    assert english["rejection"]["third_party"] == 0.5  # resumed never, waited for the query
    assert english["unranked"]["naturalness"] == {"mean": 1.0, "n": 4} and english["unranked"]["dnsmos"]["n"] == 0
    assert report["judge"]["profile"] == report["measures"]["labels_from"] == "openai"
    prompts = [body["messages"][0]["content"] for body, _ in seen]
    assert any("[14.00–14.40 s] well" in prompt and "RESUME" in prompt for prompt in prompts)
