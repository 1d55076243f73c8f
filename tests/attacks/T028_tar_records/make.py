"""Extended records that are too long, that contradict each other, or that name a link; long names in a row."""

from __future__ import annotations

from pathlib import Path
from random import Random

from made_archives import member, pax, tar_header


def make(subjects: Path, random: Random) -> None:
    long_name = tar_header("l", 5, b"L") + b"zh/b\0".ljust(512, b"\0")
    forms = {
        "long": pax(("comment", "x" * 70_000)),
        "path-twice": pax(("path", "zh/b"), ("path", "zh/c")),
        "size-twice": pax(("size", "1"), ("size", "2")),
        "linkpath-twice": pax(("linkpath", "a"), ("linkpath", "b")),
        "linkpath": pax(("linkpath", "../x")),
        "global-path": pax(("path", "zh/b"), kind=b"g"),
        "global-size": pax(("size", "0"), kind=b"g"),
        "negative-size": pax(("size", "-1")),
        "not-a-size": pax(("size", "1e3")),
        "length-lies": tar_header("pax", 5, b"x") + b"9 a=b".ljust(512, b"\0") + member(),
        "two-records": pax(("path", "zh/b"))[:1024] + pax(("path", "zh/c")),
        "long-names": long_name * 2 + member(),
        "hundred-long-names": long_name * 100 + member(),
        "long-name-of-a-gibibyte": tar_header("l", 1 << 30, b"L"),
        "long-name-and-path": long_name + pax(("path", "zh/c")),
    }
    for name, data in forms.items():
        (subjects / f"{name}.tar").write_bytes(data)
