"""Chinese text in the encodings that are still about: GBK, GB18030, Big5."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for encoding in ("gbk", "gb18030", "big5", "euc_jp"):
        data = raw_line(encoding, "PLACE", "ABC").replace(b"ABC", "心情不好".encode(encoding))
        write(subjects / encoding, data)
