"""A program swaps a result for a link to the root's secrets until it is gone, and last of all it is a link; and a child
swaps a file for a link to the bait a hundred thousand times while the collector's own open is called."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from attack_case import CANARY, Box, Seen
from attack_runs import image_of, limits_of, seen_of, try_image
from programs import program

from harness.sandbox.safe_open import open_beneath, open_by_walking, open_root

SWAPS = """
wav = sorted((target / "zh/task4").iterdir())[0]
kept = wav.read_bytes()
spare, link = target / "zh/spare", target / "zh/link"
for _ in range(3000):
    spare.write_bytes(kept)
    os.rename(spare, wav)
    link.symlink_to("/etc/shadow")
    os.rename(link, wav)
"""
SWAPPER = """
import ctypes, os, sys
os.chdir(sys.argv[1])
os.symlink(sys.argv[2], "link")
exchange = ctypes.CDLL(None, use_errno=True).renameat2
for _ in range(100_000):
    if exchange(-100, b"link", -100, b"swapped", 2):
        raise OSError(ctypes.get_errno(), "the file system exchanges no names")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "swaps", SWAPS)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    image = image_of(box.subjects / "swaps.py", request.getfixturevalue("build_image"))
    done = try_image(box, image, box.out / "swaps", limits_of(box))
    return {"in-a-container": seen_of(box.out / "swaps", done.exit), "on-the-host": _raced(box)}


def _raced(box: Box) -> Seen:
    """Both ways of opening, as often as they fit beside the swaps: what was ours, or a refusal."""
    folder = box.root / "raced"
    folder.mkdir()
    for name in ("kept", "swapped"):
        (folder / name).write_text("ours")
    swapper = subprocess.Popen([sys.executable, "-I", "-S", "-c", SWAPPER, folder, box.bait / "secret.txt"])
    root, seen = open_root(folder), Counter[str]()
    while swapper.poll() is None:
        for opens in (open_beneath, open_by_walking):
            try:
                descriptor = opens(root, "swapped")
            except OSError:
                seen["refused"] += 1
                continue
            seen[os.read(descriptor, 100).decode()] += 1
            os.close(descriptor)
    os.close(root)
    assert swapper.returncode == 0
    assert CANARY not in seen
    assert set(seen) == {"ours", "refused"}, seen
    return Seen("CONTAIN", frozenset(), {})
