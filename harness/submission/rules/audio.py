"""The reply WAVs: each read whole once, hashed, decoded and measured; two at a time."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from harness.challenge.spec import Challenge
from harness.documents.submission import ReplyAudio
from harness.submission.canonical_audio import read_wav
from harness.submission.ledger import Ledger
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.submission.readers.wav import oversize_problems
from harness.submission.rules.replies import RepliedDialogue

_THREADS = 2
_HEAD = 1 << 16
_SAME_IN = 3  # dialogues with byte-equal audio before a person looks


@dataclass(frozen=True, slots=True)
class CheckedWav:
    """One WAV and everything that was found about it."""

    audio: ReplyAudio
    problems: tuple[Refusal, ...]


class WavChecks:
    """Checks WAVs in the background while the caller reads on; a context manager that ends its threads.

    The answer is the same whatever the threads do. Each thread reads into one buffer of its own.
    """

    def __init__(self, tree: Tree, challenge: Challenge) -> None:
        self._tree, self._challenge = tree, challenge
        self._pool = ThreadPoolExecutor(_THREADS)
        self._own = threading.local()
        self._asked: dict[str, Future[CheckedWav]] = {}

    def __enter__(self) -> WavChecks:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ask(self, paths: Iterable[str]) -> None:
        """Start on those of the paths that are in the tree; each is checked once."""
        for path in paths:
            if path in self._tree.files and path not in self._asked:
                self._asked[path] = self._pool.submit(self._check, path)

    def results(self) -> dict[str, CheckedWav]:
        """Wait for all that was asked."""
        return {path: future.result() for path, future in sorted(self._asked.items())}

    def _check(self, path: str) -> CheckedWav:
        if not hasattr(self._own, "buffer"):
            self._own.buffer = bytearray()
        return _check(self._tree, path, self._challenge, self._own.buffer)


def _check(tree: Tree, path: str, challenge: Challenge, buffer: bytearray) -> CheckedWav:
    rules, limits = challenge.audio, challenge.read_limits
    bytes_ = tree.files[path].bytes
    try:
        if bytes_ > rules.max_bytes:
            with tree.open(path) as descriptor:
                head = os.pread(descriptor, _HEAD, 0)
            return CheckedWav(ReplyAudio(path, "invalid"), tuple(oversize_problems(head, bytes_, rules, limits)))
        data = tree.read_into(path, buffer)
    except Refusal as refusal:
        return CheckedWav(ReplyAudio(path, "invalid"), (refusal,))
    with data:
        sha256 = hashlib.sha256(data).hexdigest()
        format_, problems = read_wav(data, rules, limits)
    if format_ is None:
        silent = any(problem.code == "E_WAV_SILENT" for problem in problems)
        return CheckedWav(ReplyAudio(path, "silent" if silent else "invalid", sha256), problems)
    duration_s = round(format_.duration_s, 6)
    return CheckedWav(ReplyAudio(path, "ok", sha256, duration_s, format_.rate_hz), problems)


def report_wavs(checked: Iterable[CheckedWav], ledger: Ledger) -> None:
    for wav in checked:
        for problem in wav.problems:
            ledger.refuse_item(problem, file=wav.audio.path)


def constant_audio(dialogues: Sequence[RepliedDialogue], checked: dict[str, CheckedWav], ledger: Ledger) -> set[str]:
    """F_CONST_AUDIO: the WAVs whose bytes serve several dialogues of one file; returns their hashes."""
    owners: dict[tuple[str, str], dict[str, str]] = {}  # (jsonl, hash): dialogue -> first path
    for dialogue in dialogues:
        for reply in dialogue.replies:
            wav = checked.get(reply.wav or "")
            if wav is not None and wav.audio.sha256 is not None:
                key = (dialogue.part.jsonl, wav.audio.sha256)
                owners.setdefault(key, {}).setdefault(dialogue.dialogue_id, wav.audio.path)
    constant: set[str] = set()
    for (_, sha256), by_dialogue in owners.items():
        if len(by_dialogue) >= _SAME_IN:
            constant.add(sha256)
            first = min(by_dialogue.values())
            ledger.add("F_CONST_AUDIO", file=first, count=len(by_dialogue), name=quoted(first))
    return constant
