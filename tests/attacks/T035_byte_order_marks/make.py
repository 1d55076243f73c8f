"""A UTF-8 byte order mark before the first line and before a later one."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, texts, write


def make(subjects: Path, random: Random) -> None:
    for name in ("a-first", "c-later"):
        write(subjects / name, b"\xef\xbb\xbf" + raw_line(name, "PLACE", "你今天真的很辛苦。"))
    texts(subjects, {"b-good": "你今天真的很辛苦。", "d-inside": "你今天真的\ufeff很辛苦。"})
