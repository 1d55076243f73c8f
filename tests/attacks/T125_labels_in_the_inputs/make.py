"""A good staged tree with one thing wrong: a key, a name, an id, a text, a date, a mode, an attribute, metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import made
import pytest
from attack_case import Box, Seen

from harness.errors import MachineError
from harness.evaluation.run import usable_references
from harness.sandbox.leaks import require_no_leak
from harness.sandbox.staging import layout_of, layout_words, stage_inputs


def _line(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def tamper(root: Path) -> None:
        path = root / "zh/task2.jsonl"
        rows = [json.loads(row) for row in path.read_text().splitlines()]
        change(rows[0])
        path.chmod(0o644)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        path.chmod(0o444)
        _as_the_others(path)

    return tamper


def _as_the_others(path: Path) -> None:
    other = next(each for each in path.parent.rglob("*.wav") if each != path).stat()
    os.utime(path, ns=(other.st_mtime_ns, other.st_mtime_ns))


def _wav(root: Path) -> Path:
    return min(root.rglob("*.wav"))


def _metadata(root: Path) -> None:
    path = _wav(root)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + made.chunk(b"LIST", b"INFOICMT\x04\0\0\0sad\0"))
    path.chmod(0o444)
    _as_the_others(path)


def _named(root: Path) -> None:
    path = _wav(root)
    path.rename(path.with_name("sad_1.wav"))


def _extra(root: Path) -> None:
    (root / "zh/labels.txt").write_text("sad")


TAMPERED: dict[str, Callable[[Path], object]] = {
    "a-label": _line(lambda row: row["turns"][0].update(emotion="sad")),
    "a-text": _line(lambda row: row["turns"][0].update(text="I got promoted!")),
    "a-field": _line(lambda row: row.update(order=1)),
    "an-id": _line(lambda row: row.update(dialogue_id=made.ids("task2", "zh")[0])),
    "a-name-in-a-path": _line(lambda row: row["turns"][0].update(split_audio_file="task2/sad_1.wav")),
    "a-turn": _line(lambda row: row["turns"][0].update(turn_id="sad")),
    "a-file-name": _named,
    "a-file": _extra,
    "a-date": lambda root: os.utime(_wav(root), (1, 1)),
    "a-mode": lambda root: _wav(root).chmod(0o400),
    "an-attribute": lambda root: os.setxattr(_wav(root), "user.label", b"sad"),
    "metadata": _metadata,
    "nothing": lambda root: None,
}


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    source = made.write(box.root / "inputs", made.inputs(audio=True))
    references = usable_references(source, made.CHALLENGE, need_labels=True)
    found = {}
    for name, tamper in TAMPERED.items():
        (target := box.out / name).mkdir()
        staged = stage_inputs(references.dialogues, source, target, made.CHALLENGE, "seed")
        words = layout_words(layout_of(made.CHALLENGE), staged.dialogues)
        tamper(target)
        try:
            require_no_leak(target, references.dialogues, words)
            found[name] = Seen("ACCEPT", frozenset(), {})
        except MachineError as error:
            assert "sad" not in str(error)
            found[name] = Seen("INFRA", frozenset({error.code}), {})
    return found
