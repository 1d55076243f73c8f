"""Control and direction characters in members' names, which a terminal or a log would obey."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from made_archives import member, pax

CHARACTERS = {
    "cr": "\r", "lf": "\n", "esc": "\x1b[2J", "del": "\x7f", "bell": "\a", "c1": "\x9b2J", "bidi": "\u202e",
    "zero-width": "\u200b", "separator": "\u2028",
}  # fmt: skip


def make(subjects: Path, random: Random) -> None:
    for name, character in CHARACTERS.items():
        files = {f"zh/x{character}y.wav": b"x"}
        (subjects / f"{name}.zip").write_bytes(made.zipped(files))
        if name in ("lf", "esc", "bidi"):
            (subjects / f"{name}.tar").write_bytes(made.tarred(files))
    # The standard library cuts a name at its NUL, so here it is put in afterwards.
    (subjects / "nul.zip").write_bytes(made.zipped({"zh/x#y": b"x"}).replace(b"zh/x#y", b"zh/x\0y"))
    (subjects / "nul.tar").write_bytes(member("zh/x\0y"))
    (subjects / "nul-pax.tar").write_bytes(pax(("path", "zh/x\0y")))
    for name, raw in (("not-utf8", b"zh/\xff\xfe\xc3\xc3"), ("surrogate", b"zh/\xed\xa0\x80a")):
        (subjects / f"{name}.zip").write_bytes(made.zipped({"zh/aaaa": b"x"}).replace(b"zh/aaaa", raw))
