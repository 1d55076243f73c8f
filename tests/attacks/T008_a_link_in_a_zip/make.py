"""Zip members whose mode says that they are links, pipes, devices or sockets."""

from __future__ import annotations

import stat
from pathlib import Path
from random import Random

from made_archives import zip_member

KINDS = {
    "link": stat.S_IFLNK, "pipe": stat.S_IFIFO, "character": stat.S_IFCHR, "block": stat.S_IFBLK,
    "socket": stat.S_IFSOCK, "unknown": 0o30000,
}  # fmt: skip


def make(subjects: Path, random: Random) -> None:
    bait = str(subjects.parent / "bait/secret.txt").encode()
    for name, kind in KINDS.items():
        (subjects / f"{name}.zip").write_bytes(zip_member("zh/task2.jsonl", kind | 0o777, bait))
