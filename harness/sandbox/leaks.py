"""The check after staging: nothing that a container may not know stands anywhere in the tree that it will see."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NoReturn

from harness.documents.codes import finding
from harness.documents.reference import ReferenceDialogue
from harness.errors import MachineError

_OPAQUE = re.compile(r"[0-9a-f]{16}")
_WAV_NAME = re.compile(r"[0-9a-f]{16}_[0-9]{1,9}\.wav")
_PAIR_PATH = re.compile(r"(test|clean)/[0-9a-f]{16}\.wav")
_HEADER_BYTES = 44
# Shorter secrets cannot be told from chance inside other text; the structure check alone covers those.
_SHORTEST_SECRET = 4


def require_no_leak(root: Path, dialogues: Sequence[ReferenceDialogue], layout_words: Collection[str]) -> None:
    """Check names, keys, values, dates and headers of everything staged below ``root``.

    ``layout_words`` are the folder and file names that the layout itself demands; an audio file of the organisers may
    be named like its task.
    Raises MachineError (E_LEAK_INPUT): nothing may run on such inputs.
    """
    dates, words = set(), set()
    for path in _files(root):
        words.add(_without_opaque(path.relative_to(root).as_posix()))
        found = path.stat()
        dates.add((found.st_mtime_ns, found.st_mode, os.listxattr(path) != []))
        if path.suffix == ".jsonl":
            words |= _checked_jsonl(path.read_bytes())
        elif _WAV_NAME.fullmatch(path.name):
            _check_wav(path, found.st_size)
        else:
            _leak("a file that is neither a dialogue list nor audio")
    if len(dates) > 1:
        _leak("files of different dates or modes")
    # What is left are odd folders, turn numbers and endings: few words, each compared with every secret.
    left = {"/".join(part for part in word.split("/") if part not in layout_words) for word in words}
    if any(secret in word for secret in _secrets(dialogues) for word in left):
        _leak("an id, a label or a text of the organisers")


def require_no_leaking_pair(root: Path) -> None:
    """The same for a full-duplex run, whose tree holds WAVs under opaque names in two folders and nothing else."""
    dates = set()
    for path in _files(root):
        if not _PAIR_PATH.fullmatch(path.relative_to(root).as_posix()):
            _leak("a file that is no audio under an opaque name")
        found = path.stat()
        dates.add((found.st_mtime_ns, found.st_mode, os.listxattr(path) != []))
        _check_wav(path, found.st_size)
    if len(dates) > 1:
        _leak("files of different dates or modes")


def _leak(what: str) -> NoReturn:
    found = finding("E_LEAK_INPUT", what=what)
    raise MachineError(found.message, code=found.code, hint=found.hint)


def _secrets(dialogues: Sequence[ReferenceDialogue]) -> frozenset[str]:
    """Everything that identifies or labels an item: ids, texts, emotions, original file names."""
    found: set[str] = set()
    for dialogue in dialogues:
        found.add(dialogue.dialogue_id)
        for turn in dialogue.turns:
            found |= {turn.text or "", turn.emotion or ""}
            found.add(PurePosixPath(turn.audio_file or "").stem)
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def _without_opaque(text: str) -> str:
    return _OPAQUE.sub("", text)


def _checked_jsonl(data: bytes) -> set[str]:
    """Check a dialogue list's structure; returns its strings without what is opaque."""
    words = set()
    for line in data.splitlines():
        row = json.loads(line)
        if set(row) != {"dialogue_id", "turns"} or not _OPAQUE.fullmatch(row["dialogue_id"]):
            _leak("a line with other fields than dialogue_id and turns, or an id that is not opaque")
        for turn in row["turns"]:
            if set(turn) != {"turn_id", "split_audio_file"} or type(turn["turn_id"]) is not int:
                _leak("a turn with other fields than turn_id and split_audio_file")
            if not _WAV_NAME.fullmatch(turn["split_audio_file"].rpartition("/")[2]):
                _leak("an audio file whose name is not opaque")
            words.add(_without_opaque(turn["split_audio_file"]))
    return words


def _check_wav(path: Path, size: int) -> None:
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
    declared = int.from_bytes(header[40:44], "little")
    if header[:4] != b"RIFF" or header[36:40] != b"data" or declared != size - _HEADER_BYTES:
        _leak("audio with more than its samples")


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            yield Path(folder, name)
