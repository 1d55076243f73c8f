"""Archives inside the archive, forty-two deep: they are files like others, never opened."""

from __future__ import annotations

import zipfile
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    inner = made.zipped({"../../x": random.randbytes(100)})
    for _ in range(42):
        inner = made.zipped({"a.zip": inner, "b.zip": inner[:100]}, method=zipfile.ZIP_STORED)
    (subjects / "zip.zip").write_bytes(made.zipped({**made.submission(), "zh/more.zip": inner}))
    (subjects / "tar.tar").write_bytes(made.tarred({**made.submission(), "zh/more.tar": made.tarred({"../x": b"x"})}))
