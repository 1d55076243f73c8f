"""`humdial validate` on an official-size Track 1 release submission, against `sha256sum` over the same bytes.

900 dialogues, 1,200 WAVs of about 8 s, some 300 MB, made anew in a temporary folder from a seed. Whole command against
whole command, in pairs, warm cache. Beside it: hashlib's time in one process, the peak memory of all processes, the
same submission as a zip, and how soon `humdial --help` and a small validation answer against `import torch`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.resources import cache_dir

ROUNDS = 7
TURNS = 4  # 2 languages x 150 dialogues x 4 turns = 1,200 WAVs
DIALOGUES = 150
RATE = 16_000
SECONDS = 8.0
RATIO_LIMIT, MEMORY_LIMIT_MB, START_LIMIT = 1.0, 200, 0.5
HUMDIAL = [sys.executable, "-m", "harness"]
PDF_OBJECTS = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>",
)
REPLY = {"zh": "听起来你从高兴慢慢变得失落，因为没有人听你说。", "en": "You went from joy to disappointment, unheard."}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="humdial-bench-") as folder:
        return measure(Path(folder))


def with_bytecode(folder: Path) -> None:
    """Let every program that is started find its bytecode, as an installed one does, wherever the environment keeps
    Python from writing it: compiling the harness anew costs more than half a second."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")


def measure(folder: Path) -> int:
    with_bytecode(folder)
    submission, inputs, small = folder / "HD-Track1", folder / "inputs", folder / "small"
    make(submission, inputs, DIALOGUES)
    make(small, folder / "small-inputs", 2)
    files = sorted(path for path in submission.rglob("*") if path.is_file())
    wavs = [path for path in files if path.suffix == ".wav"]
    total = sum(path.stat().st_size for path in files)
    print(f"{len(files)} files, {len(wavs)} WAVs, {total / 1e6:.0f} MB; {os.cpu_count()} processors")
    names = [str(path) for path in files]
    validate = [*HUMDIAL, "validate", str(submission), "--inputs", str(inputs), "-o", str(folder / "report.json")]
    ours, theirs = paired(
        lambda: run([*validate, "-f", "json"]), lambda: run(["sha256sum", *names], out=subprocess.DEVNULL)
    )
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["valid"] and report["checked"]["dialogues"] == 6 * DIALOGUES, report["findings"][:3]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    peak = peak_memory_mb([*validate, "-f", "json"])
    print(f"humdial validate  {statistics.median(ours):.2f} s")
    print(f"sha256sum         {statistics.median(theirs):.2f} s")
    print(f"hashlib           {timed(lambda: hash_all(files)):.2f} s (one process, reading included)")
    verdict("ratio to sha256sum", ratio, RATIO_LIMIT, f"median of {ROUNDS} pairs, {min(ratios):.2f}–{max(ratios):.2f}")
    verdict("peak memory, MB", peak, MEMORY_LIMIT_MB, "all processes together")
    as_zip(folder, files, inputs)
    start_up(small, folder / "small-inputs")
    return 0 if ratio <= RATIO_LIMIT and peak <= MEMORY_LIMIT_MB else 1


def as_zip(folder: Path, files: list[Path], inputs: Path) -> None:
    """The same as one archive, deflated: unpacking is in our time, `sha256sum` reads the archive only."""
    archive = folder / "HD-Track1.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for path in files:
            out.write(path, path.relative_to(folder))
    ours = [timed(lambda: run([*HUMDIAL, "validate", str(archive), "--inputs", str(inputs), "-q"])) for _ in range(3)]
    theirs = timed(lambda: run(["sha256sum", str(archive)], out=subprocess.DEVNULL))
    print(f"as a zip          {statistics.median(ours):.2f} s (sha256sum of the zip alone {theirs:.2f} s)")


def start_up(small: Path, inputs: Path) -> None:
    """How soon a person gets an answer, against loading torch: the one that the judge is built with, when it has been
    built, else this Python's or that of TORCH_PYTHON."""
    sites = sorted(str(site) for site in cache_dir().glob("judge-site/*") if site.suffix != ".part")
    script = f"import sys; sys.path[:0] = {sites!r}; import torch"
    torch = [os.environ.get("TORCH_PYTHON", sys.executable), "-c", script]
    commands = {
        "humdial --help": [*HUMDIAL, "--help"],
        "humdial validate (small)": [*HUMDIAL, "validate", str(small), "--inputs", str(inputs), "-q"],
    }
    if subprocess.run(torch, capture_output=True, check=False).returncode:
        for name, command in commands.items():
            print(f"{name:<26}{statistics.median(timed(lambda c=command: run(c)) for _ in range(ROUNDS)):.2f} s")
        print("torch is not installed here, so there is nothing to compare the start with")
        return
    for name, command in commands.items():
        ours, theirs = paired(lambda c=command: run(c), lambda: run(torch))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        verdict(f"{name} / import torch", ratio, START_LIMIT, f"{statistics.median(ours):.2f} s")


def verdict(name: str, value: float, limit: float, note: str) -> None:
    print(f"{name:<40}{value:7.2f}  limit {limit:g}  {'ok' if value <= limit else 'TOO MUCH'}  ({note})")


def paired(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Times of both, alternating, after one warm-up of each."""
    one(), other()
    times = [(timed(one), timed(other)) for _ in range(ROUNDS)]
    return [a for a, _ in times], [b for _, b in times]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(command: list[str], out: int | None = subprocess.PIPE) -> None:
    result = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    if result.returncode:
        sys.exit(
            f"{command[:4]} ended with {result.returncode}:\n{(result.stdout or b'').decode()}{result.stderr.decode()}"
        )


def peak_memory_mb(command: list[str]) -> float:
    """The largest sum of proportional set sizes over the process and its children, sampled every 10 ms."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, sum(pss_kb(pid) for pid in family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    return peak / 1024


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += family(int(child))
        except OSError:
            continue
    return found


def pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def hash_all(files: list[Path]) -> None:
    for path in files:
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")


def make(root: Path, inputs: Path, dialogues: int) -> None:
    """A valid release submission and its inputs, from a fixed seed."""
    random = np.random.default_rng(20251124)
    root.mkdir(parents=True)
    (root / "Bench_System_Description.pdf").write_bytes(pdf())
    shutil.rmtree(inputs, ignore_errors=True)
    for language, reply in REPLY.items():
        (inputs / language).mkdir(parents=True)
        (root / language / "HD-Track1-T3").mkdir(parents=True)
        for task in (1, 2, 3):
            ids = [f"t{task}_{TURNS}_{language}_0001_{number:04d}" for number in range(dialogues)]
            asked = [[{"turn_id": turn + 1} for turn in range(TURNS)] for _ in ids]
            answered = [
                [{**turn, "response_text": f"{reply} {name}"} for turn in turns]
                for name, turns in zip(ids, asked, strict=True)
            ]
            lines(inputs / language / f"HD-Track1-T{task}.jsonl", ids, asked)
            lines(root / language / f"HD-Track1-T{task}.jsonl", ids, answered)
        for name in ids:
            for turn in range(1, TURNS + 1):
                speech(root / language / "HD-Track1-T3" / f"{name}_{turn}_response.wav", random)


def pdf() -> bytes:
    """Two blank pages with a right cross-reference table."""
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(PDF_OBJECTS, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def lines(path: Path, ids: list[str], turns: list[list[dict[str, object]]]) -> None:
    rows = [{"dialogue_id": name, "turns": each} for name, each in zip(ids, turns, strict=True)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def speech(path: Path, random: np.random.Generator) -> None:
    """Noise under a syllable-like envelope: incompressible enough, loud enough, never silent for long."""
    frames = round(RATE * SECONDS * random.uniform(0.9, 1.1))
    envelope = 0.55 + 0.45 * np.sin(np.arange(frames, dtype=np.float32) * (2 * np.pi * 4 / RATE))
    samples = (random.normal(0, 2500, frames).astype(np.float32) * envelope).clip(-32000, 32000).astype("<i2")
    body = b"WAVEfmt " + np.array([16, 0x10001, RATE, 2 * RATE, 0x100002, 0x61746164, 2 * frames], "<u4").tobytes()
    data = body + samples.tobytes()
    path.write_bytes(b"RIFF" + len(data).to_bytes(4, "little") + data)


if __name__ == "__main__":
    sys.exit(main())
