"""Bytes before or behind the archive, and two archives in one file."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    zip_, other, tar = made.zipped(files), made.zipped({"zh/x": random.randbytes(20)}), made.tarred(files)
    forms = {
        "before.zip": b"#!/bin/sh\n" + zip_,
        "before-and-counted.zip": _shifted(other, b"MZ" + bytes(62)),
        "behind.zip": zip_ + b"junk",
        "comment-cut.zip": edited(zip_, len(zip_) - 2, b"\x05\x00"),
        "two-ends.zip": zip_ + zip_[-22:],
        "two.zip": zip_ + other,
        "end-in-comment.zip": edited(other, len(other) - 2, b"\x16\x00") + zip_[-22:],
        "behind.tar": tar + random.randbytes(512),
        "two.tar": tar + made.tarred({"zh/x": b"x"}),
        "behind.tar.gz": gzip.compress(tar, mtime=0) + b"junk",
        "two.tar.gz": gzip.compress(tar, mtime=0) + gzip.compress(tar, mtime=0),
    }
    for name, data in forms.items():
        (subjects / name).write_bytes(data)


def _shifted(data: bytes, prefix: bytes) -> bytes:
    """``prefix`` and a zip whose places all count it."""
    at = directory_at(data)
    moved = edited(data, at + 42, len(prefix).to_bytes(4, "little"))
    return prefix + edited(moved, len(data) - 6, (at + len(prefix)).to_bytes(4, "little"))
