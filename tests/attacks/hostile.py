"""Builders that several attacks share: edits of zips, tars, JSON lines and WAVs at the level of bytes."""

from __future__ import annotations

from pathlib import Path

import made
from made_archives import directory_at, edited


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def line(name: str, text: str = made.REPLIES["zh"][0], **first_turn: object) -> dict[str, object]:
    """A good line for a Chinese JSONL whose first reply is ``text``."""
    turns = made.turns("zh")
    turns[0] |= {"response_text": text, **first_turn}
    return made.line(name, turns)


def raw_line(name: str, old: str, new: str) -> bytes:
    """A good line in which the JSON text ``old`` is replaced by ``new``; PLACE stands for the first reply's text."""
    text = made.jsonl([line(name, "PLACE")]).decode().rstrip("\n")
    assert old in text
    return text.replace(old, new).encode("utf-8", "surrogatepass")


def texts(subjects: Path, replies: dict[str, str]) -> None:
    """A line for each reply."""
    for name, text in replies.items():
        write(subjects / name, made.jsonl([line(name, text)]).rstrip(b"\n"))


def raw_texts(subjects: Path, replies: dict[str, str]) -> None:
    """A line for each reply, whose JSON text is given as it stands between the quotation marks."""
    for name, text in replies.items():
        write(subjects / name, raw_line(name, "PLACE", text))


def with_file(subjects: Path, name: str, path: str, data: bytes) -> None:
    """A good submission in which one file is ``data``."""
    made.write(subjects / name, {**made.submission(), path: data})


def drafts(subjects: Path, files: dict[str, tuple[str, bytes]]) -> None:
    """By name: a good submission without its PDF (which costs more to read than all the rest) in which one file is
    other bytes. For cases that say ``draft = true``."""
    good = {path: data for path, data in made.submission().items() if not path.endswith(".pdf")}
    for name, (path, data) in files.items():
        made.write(subjects / name, {**good, path: data})


def first_wav() -> str:
    return next(path for path in made.submission() if path.endswith(".wav"))


__all__ = [
    "directory_at", "drafts", "edited", "first_wav", "line", "raw_line", "raw_texts", "texts", "with_file", "write",
]  # fmt: skip
