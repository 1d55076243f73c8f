"""Writes, renames, removals and new files in /input, and a look for mounts below it."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

WRITES = """
first = next(source.rglob("*.wav"))
attempt("write", lambda: open(first, "ab"), "EROFS", "EACCES", "EPERM")
attempt("truncate", lambda: os.truncate(first, 0), "EROFS", "EACCES", "EPERM")
attempt("remove", lambda: first.unlink(), "EROFS", "EACCES", "EPERM")
attempt("new", lambda: open(source / "x", "w"), "EROFS", "EACCES", "EPERM")
attempt("date", lambda: os.utime(first, (0, 0)), "EROFS", "EACCES", "EPERM")
attempt("mode", lambda: first.chmod(0o777), "EROFS", "EACCES", "EPERM")
mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
require("no mount below it", [place for place in mounts if place.startswith("/input/")] == [])
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "writes", WRITES)
