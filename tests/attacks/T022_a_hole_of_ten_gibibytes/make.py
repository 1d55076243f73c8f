"""A tar.gz of some hundred bytes that declares a hole of ten gibibytes in each of GNU's ways, or plainly that size."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import made
from made_archives import pax, tar_header

HUGE = 10 << 30


def make(subjects: Path, random: Random) -> None:
    old = bytearray(tar_header("zh/task2.jsonl", 0, b"S"))
    old[483:495] = b"\x80" + HUGE.to_bytes(11, "big")
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    forms = {
        "old": bytes(old) + bytes(1024),
        "pax-0": pax(("GNU.sparse.size", str(HUGE)), ("GNU.sparse.numblocks", "0")),
        "pax-1": pax(("GNU.sparse.realsize", str(HUGE)), ("GNU.sparse.major", "1")),
        "pax-1-version-first": pax(
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "a"),
            ("GNU.sparse.realsize", str(HUGE)),
        ),
        "size-base-256": tar_header("zh/a", 0, size_field=b"\x80" + HUGE.to_bytes(11, "big")) + bytes(1024),
        "size-pax": pax(("size", str(HUGE))),
    }
    for name, data in forms.items():
        (subjects / f"{name}.tar.gz").write_bytes(gzip.compress(data, mtime=0))
    listed = made.zipped({"a": b"x" * 20})
    place = listed.index(b"PK\x01\x02")
    for at in (22, place + 24):
        listed = listed[:at] + b"\xfe\xff\xff\xff" + listed[at + 4 :]
    (subjects / "size.zip").write_bytes(listed)
