"""`humdial validate`, `explain` and `schema` as a user meets them: streams, exit codes, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema_rs
import made
import pypdf
import pytest

from harness.documents.codes import all_codes
from harness.resources import schema_path
from harness.submission.readers import pdf_pages

CHECKOUT = Path(__file__).resolve().parents[2]


def humdial(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *(str(argument) for argument in arguments)]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def broken() -> made.Files:
    """Many faults in many places."""
    files = made.submission()
    rows = files["zh/task2.jsonl"].splitlines()
    files["zh/task2.jsonl"] = b"\n".join([*rows, rows[0], b"NaN", b"\xff", b'{"dialogue_id": "\xc2\x85\\u001b[31m"}'])
    files["zh/task4/x\u202e.wav"] = b"RIFF"
    for number, path in enumerate(sorted(path for path in files if path.startswith("en/task4/"))):
        files[path] = [b"", made.wav(level=0), files[path][:-1], made.wav(0.1), b"RIFF"][number % 5]
    del files["en/task3.jsonl"]
    return files


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sample")
    home.chmod(0o755)
    made.write(home / "good", made.submission())
    made.write(home / "bad", broken())
    made.write(home / "in", made.inputs())
    (home / "bad.zip").write_bytes(made.zipped(broken()))
    return home


def test_a_good_submission_exits_0_and_says_so_on_stdout(sample: Path) -> None:
    done = humdial("validate", "good", "--inputs", "in", cwd=sample)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "good: valid, 0 errors, 0 warnings; checked 20 files, 12 dialogues, 3.6 s of audio\n"


def test_a_bad_one_exits_1_without_a_traceback(sample: Path) -> None:
    for name in ("bad", "bad.zip"):
        done = humdial("validate", name, "--inputs", "in", cwd=sample)
        assert done.returncode == 1
        assert "Traceback" not in done.stdout + done.stderr
        assert f"{name}: invalid" in done.stdout
        assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_several_paths_get_one_answer_each(sample: Path) -> None:
    done = humdial("validate", "good", "bad", "-f", "json", cwd=sample)
    assert done.returncode == 1
    assert [(each["subject"], each["valid"]) for each in json.loads(done.stdout)] == [("good", True), ("bad", False)]


def test_the_report_has_the_same_bytes_under_every_environment(sample: Path) -> None:
    outputs: dict[str, set[bytes]] = {"bad": set(), "bad.zip": set()}
    for name, found in outputs.items():
        for environment in (
            {"PYTHONHASHSEED": "1"},
            {"PYTHONHASHSEED": "4242", "TZ": "Asia/Shanghai", "LANG": "C", "LC_ALL": "C"},
            {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/New_York", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
        ):
            done = subprocess.run(
                [sys.executable, "-m", "harness", "validate", name, "--inputs", "in", "-f", "json"],
                cwd=sample,
                env={**os.environ, **environment},
                capture_output=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (1, b"")
            found.add(done.stdout)
    assert [len(each) for each in outputs.values()] == [1, 1]
    plain = json.loads(outputs["bad"].pop())
    validator = jsonschema_rs.validator_for(json.loads(schema_path("validation-report").read_text("utf-8")))
    assert list(validator.iter_errors(plain)) == []
    keys = [(f["file"] or "", f["line"] or 0, f["code"]) for f in plain["findings"]]
    assert keys == sorted(keys)
    assert len(keys) >= 12


# In mounts of its own, where folders that are closed to others (a home, pytest's) have only what is WANTED in them.
NOBODY = """
set -eu
mount --make-rprivate /
number=0
for path in $WANTED; do number=$((number + 1)); mkdir "$KEEP/$number"; mount --bind "$path" "$KEEP/$number"; done
for path in $CLOSED; do mount -t tmpfs -o mode=755 tmpfs "$path"; done
number=0
for path in $WANTED; do number=$((number + 1)); mkdir -p "$path"; mount --bind "$KEEP/$number" "$path"; done
cd "$WHERE"
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_gets_the_same_bytes(sample: Path) -> None:
    command = [sys.executable, "-m", "harness", "validate", "bad", "-f", "json"]
    mine = subprocess.run(command, cwd=sample, capture_output=True, check=False).stdout
    wanted = [Path(sys.base_prefix).resolve(), CHECKOUT, sample.resolve()]
    closed = {next((up for up in reversed(path.parents) if not up.stat().st_mode & 0o001), None) for path in wanted}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as keep:
        paths = {"WANTED": " ".join(map(str, wanted)), "CLOSED": " ".join(str(path) for path in closed if path)}
        theirs = subprocess.run(
            ["unshare", "--mount", "sh", "-c", NOBODY, "sh", *command],
            env={**os.environ, **paths, "KEEP": keep, "WHERE": str(sample)}, capture_output=True, check=False,
        )  # fmt: skip
    assert theirs.stdout == mine, theirs.stderr.decode()


def test_nothing_is_written_but_the_report(sample: Path, tmp_path: Path) -> None:
    def state() -> dict[str, str]:
        return {
            str(path.relative_to(sample)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(sample.rglob("*"))
            if path.is_file()
        }

    before = state()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("bad", "bad.zip"):
        humdial("validate", name, "-o", tmp_path / "report.json", "-f", "json", cwd=sample, TMPDIR=str(scratch))
    assert state() == before
    assert list(scratch.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path != scratch] == ["report.json"]
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["valid"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"],
        ["validate", "gone"],
        ["validate", "good", "--layout", "spiral"],
        ["validate", "good", "--track", "track9"],
        ["validate", "good", "--policy", "mild"],
        ["validate", "good", "--inputs", "gone"],
        ["validate", "good", "--inputs", "bad"],
        ["validate", "good", "-f", "yaml"],
        ["explain", "E_NOTHING"],
        ["schema", "show", "nothing"],
    ],
)
def test_a_wrong_call_exits_2_with_one_hint(sample: Path, arguments: list[str]) -> None:
    done = humdial(*arguments, cwd=sample)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 6


def test_every_code_is_explained_with_both_examples() -> None:
    listed = humdial("explain").stdout
    plain = {entry["code"]: entry for entry in json.loads(humdial("explain", "-f", "json").stdout)}
    assert plain.keys() == all_codes().keys()
    for code, entry in plain.items():
        assert code in listed
        assert entry["bad"] and entry["good"]
        assert entry["bad"] != entry["good"]
    one = humdial("explain", "e_path").stdout
    assert all(text in one for text in (plain["E_PATH"]["title"], plain["E_PATH"]["bad"], plain["E_PATH"]["good"]))


def test_every_schema_is_listed_and_shown() -> None:
    names = [line.split()[0] for line in humdial("schema", "list").stdout.splitlines()]
    assert {"submission", "dialogue-line", "reference-line", "audio", "validation-report"} <= set(names)
    for name in names:
        shown = json.loads(humdial("schema", "show", name).stdout)
        jsonschema_rs.meta.validate(shown)
        assert shown["$id"] == f"urn:humdial:schema:{name}:v1"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_an_encrypted_description_is_refused(algorithm: str, tmp_path: Path) -> None:
    if algorithm.startswith("AES"):
        pytest.importorskip("cryptography", reason="only to write such a file: the base install lacks it")
    files = made.submission()
    writer = pypdf.PdfWriter()
    for _ in range(2):
        writer.add_blank_page(72, 72)
    writer.encrypt("secret", algorithm=algorithm)
    folder = made.write(tmp_path / "sub", files)
    writer.write(folder / "system_description.pdf")
    done = humdial("validate", folder, "-f", "concise")
    assert done.returncode == 1
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["E_PDF_ENCRYPTED"]

    # The base install has no package that could decrypt AES, and says the same.
    program = (
        "import runpy, sys; sys.modules['cryptography'] = sys.modules['Crypto'] = None;"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    reader = Path(pdf_pages.__file__)
    with (folder / "system_description.pdf").open("rb") as stream:
        command = [sys.executable, "-c", program, str(reader)]
        counted = subprocess.run(command, stdin=stream, capture_output=True, check=True, timeout=600)
    assert json.loads(counted.stdout) == {"encrypted": True}


def test_an_invented_challenge_goes_through_the_same_code(tmp_path: Path) -> None:
    """Other languages, tasks, layout and numbers: nothing of the built-in challenge is assumed."""
    spec = Path(__file__).parents[1] / "data" / "invented.toml"
    words = {"xq": "xoq leti marun", "hak": "我聽得懂", "sw": "habari za asubuhi"}
    inputs: made.Files = {}
    files = {
        "tray/paper.pdf": made.pdf(1),
        "tray/submission.json": made.manifest(team="beta", tracks=["pour"], languages=["xq"]),
    }
    for language, text in words.items():
        asked = [{"turn_id": n, "text": "ndiyo", "emotion": mood} for n, mood in ((1, "glad"), (2, "calm"))]
        answered = [{"turn_id": n, "response_text": text} for n in (1, 2)]
        for name in ("g", "s"):
            inputs[f"{name}-{language}.jsonl"] = made.jsonl([made.line("d1", [*asked])])
            files[f"tray/{name}-{language}.jsonl"] = made.jsonl([made.line("d1", [*answered])])
        files[f"tray/s-{language}/d1.1.wav"] = made.wav(0.15, 44_100)  # turn 1 is the last that is not calm
    made.write(tmp_path / "in", inputs)
    shared = ("--inputs", tmp_path / "in", "--challenge", spec, "-f", "concise")
    good = humdial("validate", made.write(tmp_path / "good", files), *shared)
    assert (good.returncode, good.stdout) == (0, "")
    del files["tray/s-sw/d1.1.wav"]
    files["tray/g-hak.jsonl"] = files["tray/g-xq.jsonl"]
    files["tray/s-hak/d1.1.wav"] = made.wav(31.0, 4000)
    bad = humdial("validate", made.write(tmp_path / "bad", files), *shared)
    assert bad.returncode == 1
    assert [line.split()[:2] for line in bad.stdout.splitlines()] == [
        ["tray/g-hak.jsonl:1:", "I_LANGUAGE"],
        ["tray/s-hak/d1.1.wav:", "E_WAV_DUR"],
        ["tray/s-hak/d1.1.wav:", "W_WAV_RATE"],
        ["tray/s-sw/d1.1.wav:", "E_LAYOUT_MISSING"],
    ]
