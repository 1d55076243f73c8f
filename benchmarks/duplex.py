"""`humdial validate` on an official-size Track 2 submission, against `sha256sum` over the same bytes.

9,100 outputs of 10 s, 2.9 GB, made anew in a temporary folder (`--folder` says where: a disk with room, and the bytes
must fit into memory, so that both sides read a warm cache), with the inputs that they must be as long as. Of the inputs
only headers count, so their samples are holes in the files. Whole command against whole command, in pairs; the peak
memory of all processes, and the same for a tenth of the files: flat means that both are alike.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from validate import HUMDIAL, RATE, hash_all, pdf, peak_memory_mb, run, timed, verdict, with_bytecode

ROUNDS = 3
TEST, CLEAN = 5000, 4100
SECONDS = 10
ROOM_BYTES = 4 * 10**9
RATIO_LIMIT, GROWTH_LIMIT_MB = 0.8, 40
TEAM = {
    "schema_version": 1,
    "team": "bench",
    "display_name": "Bench",
    "system": "bench-1",
    "tracks": ["track2"],
    "languages": ["zh", "en"],
    "resources": [{"kind": "model", "name": "none", "version": "1", "url": "https://example.org", "licence": "MIT"}],
    "declarations": {"no_commercial_tts": True, "no_test_data_in_training": True, "single_model": True},
}


def main(folder: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="humdial-bench-", dir=folder) as made:
        if shutil.disk_usage(made).free < ROOM_BYTES:
            sys.exit(f"{made} has no room for {ROOM_BYTES / 1e9:g} GB: pass another --folder")
        return measure(Path(made))


def measure(folder: Path) -> int:
    with_bytecode(folder)
    whole, tenth = folder / "whole", folder / "tenth"
    make(whole, TEST, CLEAN)
    make(tenth, TEST // 10, CLEAN // 10)
    files = sorted(path for path in (whole / "HD-Track2").rglob("*") if path.is_file())
    total = sum(path.stat().st_size for path in files)
    load = os.getloadavg()[0]
    print(f"{len(files)} files, {total / 1e9:.2f} GB; {os.cpu_count()} processors, load {load:.1f} before")
    listed = folder / "names"
    listed.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in files))
    report = folder / "report.json"
    validate = command(whole, report)
    ours, theirs = [], []
    run(validate)
    check(report, len(files))
    for _ in range(ROUNDS):
        ours.append(timed(lambda: run(validate)))
        theirs.append(timed(lambda: sha256sum(listed)))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(f"humdial validate  {statistics.median(ours):.2f} s")
    print(f"sha256sum         {statistics.median(theirs):.2f} s")
    print(f"hashlib           {timed(lambda: hash_all(files)):.2f} s (one process, reading included)")
    ratio = statistics.median(ratios)
    spread = f"median of {ROUNDS} pairs, {min(ratios):.2f}–{max(ratios):.2f}"
    verdict("Track 2: ratio to sha256sum", ratio, RATIO_LIMIT, spread)
    small, large = peak_memory_mb(command(tenth, report)), peak_memory_mb(validate)
    note = f"{small:.0f} MB for {(TEST + CLEAN) // 10} files, {large:.0f} MB for {TEST + CLEAN}, all processes together"
    verdict("growth of peak memory, MB", large - small, GROWTH_LIMIT_MB, note)
    return 0 if ratio <= RATIO_LIMIT and large - small <= GROWTH_LIMIT_MB else 1


def command(folder: Path, report: Path) -> list[str]:
    where = [str(folder / "HD-Track2"), "--inputs", str(folder / "inputs")]
    return [*HUMDIAL, "validate", *where, "-f", "json", "-o", str(report)]


def check(report: Path, files: int) -> None:
    found = json.loads(report.read_text("utf-8"))
    assert found["valid"] and found["checked"]["files"] == files, found["findings"][:3]
    assert not found["findings"], found["findings"][:3]


def sha256sum(listed: Path) -> None:
    with listed.open("rb") as names:
        subprocess.run(["xargs", "-0", "sha256sum"], stdin=names, stdout=subprocess.DEVNULL, check=True)


def make(root: Path, test: int, clean: int) -> None:
    """Distinct outputs from one stretch of noise, and inputs as long; no excluded one among them."""
    random = np.random.default_rng(20251124)
    frames = RATE * SECONDS
    envelope = 0.55 + 0.45 * np.sin(np.arange(2 * frames, dtype=np.float32) * (2 * np.pi * 4 / RATE))
    noise = (random.normal(0, 2500, 2 * frames).astype(np.float32) * envelope).clip(-32000, 32000).astype("<i2")
    head = wav_head(2 * frames)
    submission, inputs = root / "HD-Track2", root / "inputs"
    for name, count, excluded in (("test", test, 3126), ("clean", clean, 899)):
        (submission / name).mkdir(parents=True)
        (inputs / name).mkdir(parents=True)
        numbers = [number for number in range(1, count + 2) if number != excluded][:count]
        for number in numbers:
            start = int(random.integers(0, frames))
            stem = f"{name}-{number:06d}"
            (submission / name / f"{stem}_output.wav").write_bytes(head + noise[start : start + frames].tobytes())
            with (inputs / name / f"{stem}.wav").open("wb") as stream:
                stream.write(head)
                stream.truncate(len(head) + 2 * frames)
    (submission / "submission.json").write_text(json.dumps(TEAM), "utf-8")
    (submission / "system_description.pdf").write_bytes(pdf())


def wav_head(data_bytes: int) -> bytes:
    numbers = np.array([16, 0x10001, RATE, 2 * RATE, 0x100002, 0x61746164, data_bytes], "<u4")
    return b"RIFF" + (36 + data_bytes).to_bytes(4, "little") + b"WAVEfmt " + numbers.tobytes()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the files are made, instead of the usual temporary folder")
    sys.exit(main(parser.parse_args().folder))
