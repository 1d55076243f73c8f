"""Archives and audio are read in a child: what it dies of is said of the file, and everything else is still read."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import made
import numpy as np
import pytest

from harness.challenge.spec import Challenge
from harness.errors import MachineError, Refused
from harness.submission import canonical_wavs, check
from harness.submission.readers.apart import _answer, _Child
from harness.submission.readers.rewriting import rewrite

CHALLENGE = made.CHALLENGE
# A reader that meets a file of this name does this: what a hostile file would do if it found a fault in a reader.
HOOK = """
import os, signal, sys
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        exec(FAULTS.get(os.path.basename(os.fsdecode(arguments[0])), ""))
FAULTS = %r
if "child.py" in " ".join(sys.orig_argv):
    sys.addaudithook(hook)
"""
CRASH = "signal.raise_signal(signal.SIGSEGV)"
NONSENSE = "os.write(1, b'{\\x1b]0;nonsense\\n')"
SPIN = "\nwhile True: pass"
KILLED = "signal.raise_signal(signal.SIGKILL)"


@pytest.fixture
def sub(tmp_path: Path) -> Path:
    return made.write(tmp_path / "sub", made.submission())


def wavs(sub: Path) -> list[Path]:
    return sorted(sub.rglob("*.wav"))


def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, actions: dict[str, str]) -> None:
    """Children that meet these files do this."""
    made.write(tmp_path / "hook", {"sitecustomize.py": (HOOK % actions).encode()})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))


def limited(**limits: int) -> Challenge:
    return replace(CHALLENGE, read_limits=replace(CHALLENGE.read_limits, **limits))


def findings(path: Path, challenge: Challenge = CHALLENGE) -> list[tuple[str, str | None]]:
    outcome = check(path, challenge)
    found = [(finding.code, finding.file) for finding in outcome.report.findings]
    if outcome.submission is not None:
        heard = [turn.audio for dialogue in outcome.submission.dialogues for turn in dialogue.turns if turn.audio]
        bad = {file for code, file in found if code.startswith("E_")}
        assert {audio.path for audio in heard if audio.state == "ok"} == {
            str(each.relative_to(path)) for each in wavs(path)
        } - bad
    return found


@pytest.mark.parametrize(
    ("fault", "places", "code"),
    [(CRASH, (1, 7), "E_READ_CRASH"), (NONSENSE, (1,), "E_READ_CRASH"), (SPIN, (7,), "E_READ_LIMIT")],
)
def test_a_file_that_breaks_its_reader_is_named_and_the_others_are_read(
    sub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, places: tuple[int, ...], code: str
) -> None:
    bad = [wavs(sub)[place] for place in places]
    faults(tmp_path, monkeypatch, {path.name: fault for path in bad})
    assert findings(sub, limited(child_cpu_s=1)) == [(code, str(path.relative_to(sub))) for path in bad]


def test_where_everything_breaks_the_reader_it_stops_trying(
    sub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults(tmp_path, monkeypatch, {path.name: CRASH for path in wavs(sub)})
    assert findings(sub) == [("E_READ_CRASH", str(path.relative_to(sub))) for path in wavs(sub)]


def test_a_file_that_needs_more_memory_than_allowed_is_named(sub: Path) -> None:
    samples = (0.4 * np.sin(np.arange(48_000 * 80) / 20)).astype("<f8")
    wavs(sub)[3].write_bytes(made.riff(made.fmt(3, rate=48_000, bits=64), samples.tobytes()))
    assert ("W_WAV_FLOAT", str(wavs(sub)[3].relative_to(sub))) in findings(sub)
    found = findings(sub, limited(child_memory_bytes=100 << 20))
    assert found == [("E_READ_LIMIT", str(wavs(sub)[3].relative_to(sub)))]


def test_an_archive_that_breaks_its_reader_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(made.zipped(made.submission()))
    for fault, code in ((CRASH, "E_READ_CRASH"), (SPIN, "E_READ_LIMIT")):  # what it does to the file it would write
        faults(tmp_path, monkeypatch, {"task2.jsonl": fault})
        outcome = check(tmp_path / "a.zip", limited(child_cpu_s=1), work=tmp_path / "work")
        assert [finding.code for finding in outcome.report.findings] == [code]
        assert list((tmp_path / "work").iterdir()) == []


def test_a_reader_that_the_system_kills_is_nobody_s_fault(
    sub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults(tmp_path, monkeypatch, {wavs(sub)[2].name: KILLED, "task2.jsonl": KILLED})
    with pytest.raises(MachineError) as caught:
        check(sub, CHALLENGE)
    assert caught.value.code == "I_READER"
    (tmp_path / "a.zip").write_bytes(made.zipped(made.submission()))
    command = [sys.executable, "-m", "harness", "validate", "a.zip"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert "[I_READER]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_limits_are_those_of_the_spec(sub: Path) -> None:
    facts = {"rules": asdict(CHALLENGE.audio), "limits": asdict(CHALLENGE.read_limits)}
    child = _Child({"do": "check", "root": str(sub), "file_bytes": 0, **facts})
    try:
        entry = wavs(sub)[0].stat()
        child.send([[0, str(wavs(sub)[0].relative_to(sub)), entry.st_size, [0]]])
        while not child.answers:
            os.sched_yield()
        text = Path(f"/proc/{child._process.pid}/limits").read_text()
    finally:
        child.close()
    limits = {line[:26].strip(): line[26:].split()[0] for line in text.splitlines()}
    assert limits["Max data size"] == str(CHALLENGE.read_limits.child_memory_bytes)
    assert limits["Max open files"] == str(CHALLENGE.read_limits.child_nofile)
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert int(limits["Max cpu time"]) <= CHALLENGE.read_limits.child_cpu_s + 60


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b"[0, null, null]",
        b'["0", null, null, []]',
        b'[0, "abc", null, []]',
        b'[0, null, ["1", 2], []]',
        b'[0, null, [1.0, 16000], [["E_NO_SUCH_CODE", null, {}]]]',
        b'[0, null, null, [["E_ID_DUP", null, {"name": "a", "first": 1}]]]',
        b'[0, null, null, [["E_WAV_SIZE", null, {}]]]',
        b'[0, null, null, [["E_WAV_SIZE", null, {"what": "a\\u001b[2J"}]]]',
        b'[0, null, null, [["E_WAV_SIZE", null, {"what": {"a": 1}}]]]',
        b'[0, null, null, [["E_WAV_SIZE", 5, {"what": "a"}]]]',
        b'[0, null, null, [["E_WAV_SIZE", null, {"what": "' + b"a" * 1000 + b'"}]]]',
        b"\xff",
    ],
)
def test_what_a_child_may_not_say_is_not_heard(line: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        _answer(line)


def test_canonical_copies_are_those_of_one_by_one(sub: Path, tmp_path: Path) -> None:
    sources = [*wavs(sub)[:3], tmp_path / "wide.wav"]
    sources[3].write_bytes(made.wav(1.0, 24_000, bits=24))
    jobs = [(source, tmp_path / f"{number}.wav", None) for number, source in enumerate(sources)]
    digests = canonical_wavs(jobs, CHALLENGE)
    for (source, target, _), sha256 in zip(jobs, digests, strict=True):
        rewrite(source, tmp_path / "one.wav", CHALLENGE.audio, CHALLENGE.read_limits, rate_hz=16_000)
        assert target.read_bytes() == (tmp_path / "one.wav").read_bytes()
        assert subprocess.run(["sha256sum", target], capture_output=True, text=True).stdout.split()[0] == sha256
    assert canonical_wavs([], CHALLENGE) == []


def test_a_copy_is_made_of_what_was_checked_or_not_at_all(sub: Path, tmp_path: Path) -> None:
    source, target = wavs(sub)[0], tmp_path / "out.wav"
    for sha256, data, code in (("0" * 64, made.wav(), "E_CHANGED"), (None, made.wav(level=0), "E_WAV_SILENT")):
        source.write_bytes(data)
        with pytest.raises(Refused) as caught:
            canonical_wavs([(source, target, sha256)], CHALLENGE)
        assert caught.value.code == code
        assert not target.exists()
    with pytest.raises(MachineError) as failed:
        canonical_wavs([(tmp_path / "gone.wav", target, None)], CHALLENGE)
    assert failed.value.code == "I_DISK"
