"""The reply WAVs: each read whole once, hashed, decoded and measured, in a child process with limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.challenge.spec import Challenge
from harness.documents.submission import ReplyAudio
from harness.submission.ledger import Ledger
from harness.submission.readers.apart import Answer, WavReader
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.submission.rules.replies import RepliedDialogue

_SAME_IN = 3  # dialogues with byte-equal audio before a person looks


@dataclass(frozen=True, slots=True)
class CheckedWav:
    """One WAV and everything that was found about it. ``lasts_s`` is known of silence too, and 0 when the header could
    not be read."""

    audio: ReplyAudio
    problems: tuple[Refusal, ...]
    lasts_s: float = 0.0


class WavChecks:
    """Checks WAVs in a child while the caller reads on; a context manager that ends the child."""

    def __init__(self, tree: Tree, challenge: Challenge) -> None:
        order = {"do": "check", "root": str(tree.root), "file_bytes": 0}
        self._tree, self._asked = tree, dict[str, None]()
        self._reader = WavReader(order, challenge.audio, challenge.read_limits)

    def __enter__(self) -> WavChecks:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def ask(self, paths: Iterable[str]) -> None:
        """Start on those of the paths that are in the tree; each is checked once."""
        new = [path for path in paths if path in self._tree.files and path not in self._asked]
        self._asked |= dict.fromkeys(new)
        files = [self._tree.files[path] for path in dict.fromkeys(new)]
        self._reader.ask([(entry.path, entry.bytes, entry.stamp) for entry in files])

    def results(self) -> dict[str, CheckedWav]:
        """Wait for all that was asked. Raises MachineError (I_READER)."""
        answers = zip(self._asked, self._reader.answers(), strict=True)
        return {path: _checked(path, answer) for path, answer in sorted(answers, key=lambda pair: pair[0])}


def _checked(path: str, answer: Answer) -> CheckedWav:
    if answer.accepted:
        audio = ReplyAudio(path, "ok", answer.sha256, answer.duration_s, answer.rate_hz)
    else:
        silent = any(problem.code == "E_WAV_SILENT" for problem in answer.problems)
        audio = ReplyAudio(path, "silent" if silent else "invalid", answer.sha256)
    return CheckedWav(audio, answer.problems, answer.duration_s)


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
