"""Thousands of empty files: one more than the cap is refused, as many as the cap are not."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    cap = made.CHALLENGE.read_limits.members
    good = {path: data for path, data in made.submission().items() if not path.endswith(".pdf")}
    own = len(good) + len({str(folder) for path in good for folder in Path(path).parents} - {"."})
    for name, files in {"one-folder": cap + 1000, "one-too-many": cap - own, "at-the-cap": cap - own - 1}.items():
        folder = made.write(subjects / name, good) / "zz"  # the last one to be listed
        folder.mkdir()
        for number in range(files):
            (folder / f"{number:x}").touch()
