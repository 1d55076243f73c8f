"""An ID3 tag, blanks, a byte order mark or another header before an otherwise good file."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write


def make(subjects: Path, random: Random) -> None:
    for name, head in {
        "id3": b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10),
        "blank": b" ",
        "line": b"\n",
        "mark": b"\xef\xbb\xbf",
        "zero": b"\0",
        "script": b"#!/bin/sh\n",
    }.items():
        write(subjects / name, head + made.wav())
