"""Names that promise another format than the bytes have, and formats that nobody asked for."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    zip_, tar = made.zipped(files), made.tarred(files)
    forms = {
        "tar.zip": tar,
        "targz.zip": made.tarred(files, mode="w:gz"),
        "7z.zip": b"7z\xbc\xaf\x27\x1c\0\4" + random.randbytes(500),
        "rar.zip": b"Rar!\x1a\x07\x01\0" + random.randbytes(500),
        "zip.tar": zip_,
        "zip.tar.gz": zip_,
        "tar.tar.gz": tar,
        "targz.tar": made.tarred(files, mode="w:gz"),
        "xz.tar.xz": made.tarred(files, mode="w:xz"),
        "bz2.tar.bz2": made.tarred(files, mode="w:bz2"),
        "no-tar.gz": gzip.compress(b"x", mtime=0),
        "lines.jsonl": b"{}\n",
        "text.zip": b"x",
        "zip.ZIP.exe": zip_,
        "none": zip_,
    }
    for name, data in forms.items():
        (subjects / name).write_bytes(data)
