"""A tar with a link to a folder, and then a member that lies in what it leads to."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from random import Random


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait"
    for name, target in (("absolute", str(bait)), ("relative", "../../bait"), ("inside", "en"), ("self", ".")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            link = tarfile.TarInfo("zh")
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
            through = tarfile.TarInfo("zh/secret.txt")
            through.size = 5
            tar.addfile(through, io.BytesIO(b"taken"))
        (subjects / f"{name}.tar").write_bytes(out.getvalue())
