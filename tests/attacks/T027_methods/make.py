"""Members that are encrypted, or packed in other ways than stored and deflated."""

from __future__ import annotations

import zipfile
from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited


def make(subjects: Path, random: Random) -> None:
    files = {"zh/task2.jsonl": random.randbytes(100) * 5}
    stored = made.zipped(files, method=zipfile.ZIP_STORED)
    at = directory_at(stored)
    forms = {
        "encrypted": edited(edited(stored, 6, b"\x01"), at + 8, b"\x01"),
        "strongly-encrypted": edited(edited(stored, 6, b"\x41"), at + 8, b"\x41"),
        "aes": edited(edited(stored, 8, b"\x63\x00"), at + 10, b"\x63\x00"),
        "deflate64": edited(edited(stored, 8, b"\x09\x00"), at + 10, b"\x09\x00"),
        "zstandard": edited(edited(stored, 8, b"\x5d\x00"), at + 10, b"\x5d\x00"),
        "bzip2": made.zipped(files, method=zipfile.ZIP_BZIP2),
        "lzma": made.zipped(files, method=zipfile.ZIP_LZMA),
    }
    for name, data in forms.items():
        (subjects / f"{name}.zip").write_bytes(data)
