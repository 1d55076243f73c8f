"""A link to itself, to the folder above, to the bait, and a mount with the bait's files inside."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait"
    good = {path: data for path, data in made.submission().items() if not path.endswith(".pdf")}
    for name, target in {"loop": "inner", "parent": "..", "above": "../..", "root": "/", "bait": str(bait)}.items():
        folder = made.write(subjects / name, good)
        (folder / "zh/inner").symlink_to(target)
    mounted = made.write(subjects / "mount", good) / "zh/inner"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mounted], capture_output=True).returncode:
        mounted.rmdir()  # only root may mount; then a link stands for it
        mounted.symlink_to("/dev/shm")
    else:
        (mounted / "secret.txt").write_text("inside")


def clean(subjects: Path) -> None:
    subprocess.run(["umount", subjects / "mount/zh/inner"], capture_output=True)
