"""Tar members that are another name of an earlier member, or of a file outside."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from random import Random


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait/secret.txt"
    for name, target in (("earlier", "zh/task2.jsonl"), ("outside", str(bait)), ("climbing", "../../bait/secret.txt")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            first = tarfile.TarInfo("zh/task2.jsonl")
            first.size = 3
            tar.addfile(first, io.BytesIO(b"{}\n"))
            link = tarfile.TarInfo("zh/task3.jsonl")
            link.type, link.linkname = tarfile.LNKTYPE, target
            tar.addfile(link)
        (subjects / f"{name}.tar").write_bytes(out.getvalue())
