"""No bytes, no members, only folders; everything inside one folder more, or two."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    for form in ("zip", "tar", "tar.gz"):
        (subjects / f"no-bytes.{form}").touch()
    (subjects / "no-members.zip").write_bytes(made.zipped({}))
    (subjects / "folders.zip").write_bytes(made.zipped({"zh/": b"", "zh/task4/": b""}))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folder = tarfile.TarInfo("zh")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    (subjects / "folders.tar").write_bytes(out.getvalue())
    (subjects / "folders-alone/zh/task4").mkdir(parents=True)
    for form, pack in (("zip", made.zipped), ("tar", made.tarred)):
        (subjects / f"one.{form}").write_bytes(pack({f"my work/{path}": data for path, data in files.items()}))
        (subjects / f"two.{form}").write_bytes(pack({f"a/b/{path}": data for path, data in files.items()}))
    (subjects / "release.zip").write_bytes(made.zipped(made.submission("release")))
