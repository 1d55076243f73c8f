"""Full-duplex outputs and inputs: names, pairing, lengths, silence, annotations; bad input is named."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import made
import pytest

from harness.challenge.load import load_challenge
from harness.documents.finding import ValidationReport
from harness.submission import PairInputs, check, read_pairs

CHALLENGE = load_challenge()
RULES = CHALLENGE.duplex
assert RULES is not None
NAMES = ("test/test-000001", "test/test-000002", "clean/clean-000007")
SECONDS = 1.5


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def line(name: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "file": name,
        "language": "en",
        "scenario": "follow_up",
        "part": None,
        "clean": "clean-000007",
        "final_duration": SECONDS,
        "speech_segments": [{"xmin": 0.1, "xmax": 0.5, "text": "a"}, {"xmin": 0.9, "xmax": 1.4, "text": "b"}],
    }
    return {**plain, **changes}


def key(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


LINES = (line("test-000001"), line("test-000002", scenario="pause", clean=None))


@pytest.fixture
def inputs(tmp_path: Path) -> PairInputs:
    files = {f"{name}.wav": made.wav(SECONDS, seed=3) for name in NAMES}
    found = read_pairs(write(tmp_path / "inputs", files | {"key.jsonl": key(*LINES)}), CHALLENGE, RULES)
    assert found.findings == ()
    return found


def outputs(root: str = "HD-Track2/") -> dict[str, bytes]:
    files = {f"{root}{name}_output.wav": made.wav(SECONDS, seed=5 + n) for n, name in enumerate(NAMES)}
    return files | {f"{root}Alpha_System_Description.pdf": made.pdf()}


def codes(report: ValidationReport) -> list[str]:
    return [finding.code for finding in report.findings]


def checked(path: Path, inputs: PairInputs | None, **options: Any) -> ValidationReport:
    return check(path, CHALLENGE, pairs=inputs, **options).report


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_the_release_archive(tmp_path: Path, inputs: PairInputs) -> None:
    outcome = check(zipped(tmp_path / "HD-Track2.zip", outputs()), CHALLENGE, pairs=inputs, work=tmp_path / "work")
    assert outcome.report.findings == ()
    assert outcome.submission is not None
    assert (outcome.submission.team, outcome.submission.track, outcome.submission.layout) == (
        "alpha",
        "track2",
        "release",
    )
    assert list(outcome.submission.pairs) == sorted(NAMES)
    assert {audio.state for audio in outcome.submission.pairs.values()} == {"ok"}
    assert outcome.report.checked.audio_seconds == 4.5


def test_the_seed_layout_in_a_folder(tmp_path: Path, inputs: PairInputs) -> None:
    files = outputs("") | {"submission.json": made.manifest(tracks=["track2"]), "system_description.pdf": made.pdf()}
    del files["Alpha_System_Description.pdf"]
    report = checked(write(tmp_path / "mine", files), inputs)
    assert report.findings == ()


def test_without_inputs_names_are_still_checked(tmp_path: Path) -> None:
    assert codes(checked(write(tmp_path / "a", outputs()), None)) == []
    files = outputs() | {"HD-Track2/test/test-12_output.wav": made.wav(SECONDS), "HD-Track2/notes.txt": b"x"}
    assert sorted(codes(checked(write(tmp_path / "b", files), None))) == ["E_PAIR_UNKNOWN", "W_LAYOUT_EXTRA"]


def test_missing_and_unexpected_outputs(tmp_path: Path, inputs: PairInputs) -> None:
    files = outputs()
    files["HD-Track2/test/test-000003_output.wav"] = files.pop("HD-Track2/test/test-000002_output.wav")
    report = checked(write(tmp_path / "mine", files), inputs)
    assert sorted(codes(report)) == ["E_LAYOUT_MISSING", "E_PAIR_UNKNOWN"]
    draft = checked(tmp_path / "mine", inputs, draft=True)
    assert {f.code: f.severity for f in draft.findings}["E_LAYOUT_MISSING"] == "warning"


def test_excluded_inputs_need_no_output_and_may_have_one(tmp_path: Path) -> None:
    files = {"test/test-003126.wav": made.wav(SECONDS), "test/test-000001.wav": made.wav(SECONDS)}
    inputs = read_pairs(write(tmp_path / "inputs", files), CHALLENGE, RULES)
    for number, names in enumerate((["test-000001"], ["test-000001", "test-003126"])):
        mine = {f"HD-Track2/test/{name}_output.wav": made.wav(SECONDS) for name in names}
        mine["HD-Track2/Alpha_System_Description.pdf"] = made.pdf()
        assert codes(checked(write(tmp_path / f"mine{number}", mine), inputs)) == []


@pytest.mark.parametrize(
    ("data", "code", "severity"),
    [
        (made.wav(SECONDS, channels=2), "E_WAV_CHANNELS", "error"),
        (made.wav(SECONDS, 8000), "W_WAV_RATE", "warning"),
        (made.wav(SECONDS, 44_100), None, None),
        (made.wav(SECONDS, 48_000), None, None),
        (made.wav(SECONDS, 96_000), "E_WAV_RATE", "error"),
        (made.wav(0.0), "E_WAV_DUR", "error"),
        (made.wav(0.8), "W_PAIR_LENGTH", "warning"),
        (made.wav(4.0), "W_PAIR_LENGTH", "warning"),
        (made.wav(40.0, 8000), "E_PAIR_LENGTH", "error"),
        (made.wav(200.0, 8000), "E_WAV_DUR", "error"),
        (made.wav(SECONDS, level=0.0), "W_PAIR_SILENT", "warning"),
        (made.wav(200.0, 8000, level=0.0), "E_WAV_DUR", "error"),
        (made.wav(SECONDS)[:-100], "E_WAV_TRUNC", "error"),
        (b"", "E_WAV_FORMAT", "error"),
    ],
    ids=[
        "stereo",
        "8k",
        "44k",
        "48k",
        "96k",
        "empty",
        "shorter",
        "longer",
        "much-longer",
        "minutes",
        "silent",
        "silent-minutes",
        "cut",
        "nothing",
    ],
)
def test_bad_outputs_are_named(
    tmp_path: Path, inputs: PairInputs, data: bytes, code: str | None, severity: str | None
) -> None:
    files = outputs() | {"HD-Track2/test/test-000002_output.wav": data}
    report = checked(write(tmp_path / "mine", files), inputs)
    found = [(finding.code, finding.severity) for finding in report.findings if finding.code != "W_WAV_RATE"]
    if code == "W_WAV_RATE":
        assert codes(report) == [code]
    else:
        assert found == ([] if code is None else [(code, severity)])
    assert report.valid == (severity != "error")


def test_silence_has_a_length_too(tmp_path: Path, inputs: PairInputs) -> None:
    """A silent output that is cut short or runs on is not aligned with its input either."""
    short = outputs() | {"HD-Track2/test/test-000002_output.wav": made.wav(0.6, level=0.0)}
    report = checked(write(tmp_path / "short", short), inputs)
    assert codes(report) == ["W_PAIR_LENGTH", "W_PAIR_SILENT"] and report.valid
    assert "0.600 s" in report.findings[0].message and "1.500 s" in report.findings[0].message
    long = outputs() | {"HD-Track2/test/test-000002_output.wav": made.wav(40.0, level=0.0)}
    report = checked(write(tmp_path / "long", long), inputs)
    assert codes(report) == ["E_PAIR_LENGTH", "W_PAIR_SILENT"] and not report.valid


def test_a_model_that_waits_is_not_told_to_cut_its_silence(tmp_path: Path, inputs: PairInputs) -> None:
    quiet = made.riff(made.fmt(), bytes(2 * 20_000) + made.wav(0.25)[44:])
    files = outputs() | {"HD-Track2/test/test-000002_output.wav": quiet}
    assert codes(checked(write(tmp_path / "mine", files), inputs)) == []


def test_pdf_rules_hold(tmp_path: Path, inputs: PairInputs) -> None:
    files = outputs()
    del files["HD-Track2/Alpha_System_Description.pdf"]
    assert codes(checked(write(tmp_path / "a", files), inputs, team="alpha")) == ["E_LAYOUT_MISSING"]
    files["HD-Track2/mine.pdf"] = made.pdf(1)
    assert codes(checked(write(tmp_path / "b", files), inputs)) == ["E_PDF_PAGES", "W_PDF_NAME"]


def test_the_two_policies_and_a_wrong_track(tmp_path: Path, inputs: PairInputs) -> None:
    files = outputs() | {"HD-Track2/submission.json": made.manifest()}
    assert codes(checked(write(tmp_path / "mine", files), inputs)) == ["E_MANIFEST_TRACK"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"speech_segments": [{"xmin": 0.1, "xmax": 0.5}]}, "E_ANNOT_FEW"),
        ({"speech_segments": []}, "E_ANNOT_FEW"),
        ({"speech_segments": [{"xmin": 0.1, "xmax": 0.5}, {"xmin": 0.9, "xmax": 7.0}]}, "E_ANNOT_RANGE"),
        ({"speech_segments": [{"xmin": 0.5, "xmax": 0.1}, {"xmin": 0.9, "xmax": 1.0}]}, "E_ANNOT_TIME"),
        ({"speech_segments": [{"xmin": 0.9, "xmax": 1.0}, {"xmin": 0.1, "xmax": 0.5}]}, "E_ANNOT_TIME"),
        ({"speech_segments": [{"xmin": float("nan"), "xmax": 0.5}, {"xmin": 0.9, "xmax": 1.0}]}, "E_JSON_NUM"),
        ({"speech_segments": [{"xmin": None, "xmax": 0.5}, {"xmin": 0.9, "xmax": 1.0}]}, "E_SCHEMA_TYPE"),
        ({"speech_segments": [{"xmin": -1, "xmax": 0.5}, {"xmin": 0.9, "xmax": 1.0}]}, "E_SCHEMA_TYPE"),
        ({"final_duration": 1.2}, "E_ANNOT_RANGE"),
        ({"final_duration": 1.45}, "W_ANNOT_LENGTH"),
        ({"scenario": "chat"}, "E_KEY"),
        ({"scenario": "third_party"}, "E_KEY"),
        ({"language": "fr"}, "E_KEY"),
        ({"clean": None}, "E_KEY"),
        ({"clean": "clean-000099"}, "E_KEY_AUDIO"),
        ({"file": "../test-000001"}, "E_SCHEMA_VALUE"),
        ({"file": "test-000002"}, "E_ID_DUP"),
    ],
)
def test_a_bad_key_is_named(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    files = {f"{name}.wav": made.wav(SECONDS, seed=3) for name in NAMES}
    lines = [line("test-000002", scenario="pause", clean=None), line("test-000001", **changes)]
    folder = write(tmp_path / "inputs", files | {"key.jsonl": key(*lines)})
    report = check(folder, CHALLENGE, layout="data").report
    assert code in codes(report)
    assert all(finding.line == 2 for finding in report.findings)


SENTENCE = json.dumps(
    {
        "final_duration": SECONDS,
        "speech_segments": [{"xmin": 0.1, "xmax": 0.5, "text": "a"}, {"xmin": 0.9, "xmax": 1.4}],
    }
).encode()


def dev() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for stem in (
        "en/Follow-up_Questions/0001_0001",
        "zh/ask/0001_0002",
        "en/Third-party_Speech/0002_0001_before",
        "en/Third-party_Speech/0002_0001_add",
        "cn_dev/pause/0003_0001",
    ):
        folder, _, name = stem.rpartition("/")
        files |= {f"{stem}.wav": made.wav(SECONDS), f"{stem}_sentence.json": SENTENCE, f"{stem}.TextGrid": b"x"}
        if "pause" not in stem and "before" not in stem:
            files[f"{folder}/clean_{name}.wav"] = made.wav(SECONDS)
    return files


def test_the_dev_folder_of_the_seed(tmp_path: Path) -> None:
    folder = write(tmp_path / "dev", dev())
    assert check(folder, CHALLENGE, layout="data").report.findings == ()
    found = read_pairs(folder, CHALLENGE, RULES)
    cases = {each.file: (each.language, each.scenario, each.part, each.clean is not None) for each in found.key}
    assert cases == {
        "en/Follow-up_Questions/0001_0001": ("en", "follow_up", None, True),
        "zh/ask/0001_0002": ("zh", "follow_up", None, True),
        "en/Third-party_Speech/0002_0001_before": ("en", "third_party", "before", False),
        "en/Third-party_Speech/0002_0001_add": ("en", "third_party", "after", True),
        "cn_dev/pause/0003_0001": ("zh", "pause", None, False),
    }


def test_outputs_beside_the_dev_inputs(tmp_path: Path) -> None:
    inputs = read_pairs(write(tmp_path / "dev", dev()), CHALLENGE, RULES)
    files = {f"{path}_output.wav": made.wav(SECONDS, seed=9) for path in inputs.audio_s}
    mine = dev() | files | {"submission.json": made.manifest(tracks=["track2"]), "system_description.pdf": made.pdf()}
    assert checked(write(tmp_path / "mine", mine), inputs).findings == ()


def test_bad_dev_folders_are_named(tmp_path: Path) -> None:
    files = dev()
    del files["zh/ask/0001_0002_sentence.json"]
    del files["en/Third-party_Speech/clean_0002_0001_add.wav"]
    files["en/chat/0009_0001_sentence.json"] = SENTENCE
    files["en/Follow-up_Questions/0001_0001_sentence.json"] = b'{"final_duration": NaN}'
    found = codes(check(write(tmp_path / "dev", files), CHALLENGE, layout="data").report)
    assert sorted(found) == ["E_ANNOT_MISSING", "E_JSON_NUM", "E_KEY", "W_KEY_CLEAN"]
