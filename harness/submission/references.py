"""The organisers' side: inputs and references in the same layouts, through the same strict readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from harness.challenge.evaluated_turn import aliased
from harness.challenge.spec import LABEL_FIELDS, Challenge, Layout
from harness.documents.finding import Checked, Finding
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.submission.ledger import Ledger
from harness.submission.pairs.inputs import check_pair_data, looks_like_inputs
from harness.submission.readers.jsonl import read_jsonl
from harness.submission.readers.paths import is_safe_reference, name_fault
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.schema import schema_errors
from harness.submission.readers.tree import Tree
from harness.submission.rules.audio import WavChecks, report_wavs
from harness.submission.rules.layout import report_missing
from harness.submission.source import Source, open_source

_SCHEMA = "reference-line"


@dataclass(frozen=True, slots=True)
class References:
    """``root`` is the folder where the files lie; audio paths in ``dialogues`` are relative to the folder of their
    JSONL, as the layout places it below ``root``. Excluded dialogues are in the list."""

    dialogues: tuple[ReferenceDialogue, ...]
    layout: str
    findings: tuple[Finding, ...]
    root: Path


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One JSONL of the organisers."""

    path: str
    task: str
    language: str


def read_references(folder: Path, challenge: Challenge, *, need_labels: bool) -> References:
    """Read a folder of inputs or references (`{language}/{name}.jsonl` in any of the challenge's layouts).

    With ``need_labels`` a turn without text or emotion is an error (E_GOLD_TEXT, E_GOLD_EMOTION); unknown labels
    warn. Audio that is named but not there is an error (E_GOLD_AUDIO). Errors are findings, never exceptions, but
    for UsageError (E_USAGE) when the path does not exist.
    """
    ledger = Ledger()
    try:
        with open_source(folder, None, challenge.read_limits) as source:
            return _read(source, challenge, ledger, need_labels=need_labels)
    except Refusal as refusal:
        ledger.refuse(refusal)
        return References((), next(iter(challenge.layouts)), ledger.findings.result()[0], folder)


def check_data(source: Source, challenge: Challenge, ledger: Ledger) -> Checked:
    """Check a train, dev or test folder: everything that `read_references` reports, and each WAV that it names.

    A folder in which no turn at all has a label is a test set as teams get it; that is said once (W_GOLD_BLIND).
    """
    if challenge.duplex is not None and looks_like_inputs(source.tree):
        return check_pair_data(source.tree, challenge, challenge.duplex, ledger)
    blind = _is_blind(_read(source, challenge, Ledger(), need_labels=False))
    references = _read(source, challenge, ledger, need_labels=not blind)
    if blind:
        ledger.add("W_GOLD_BLIND")
    tree = _below(source.tree, ledger)
    layout = challenge.layouts[references.layout]
    paths = {
        path
        for dialogue in references.dialogues
        for turn in dialogue.turns
        if turn.audio_file is not None
        and (path := _beside(layout.jsonl_path(dialogue.language, dialogue.task), turn.audio_file)) in tree.files
    }
    with WavChecks(tree, challenge) as checks:
        checks.ask(sorted(paths))
        checked = checks.results()
    report_wavs(checked.values(), ledger)
    return Checked(
        files=len(list(_sheets(tree, challenge, layout))) + len(paths),
        dialogues=len(references.dialogues),
        audio_seconds=round(sum(wav.audio.duration_s for wav in checked.values()), 3),
    )


def _is_blind(references: References) -> bool:
    turns = [turn for dialogue in references.dialogues for turn in dialogue.turns]
    return bool(turns) and not any(turn.text or turn.emotion or turn.labels for turn in turns)


def _below(tree: Tree, ledger: Ledger) -> Tree:
    return tree.below(ledger.prefix.removesuffix("/")) if ledger.prefix else tree


def _read(source: Source, challenge: Challenge, ledger: Ledger, *, need_labels: bool) -> References:
    for refusal in source.tree.refusals:
        ledger.refuse(refusal)
    tops = sorted({path.split("/", 1)[0] for path in source.tree.files})
    if len(tops) == 1 and tops[0] not in challenge.languages and tops[0] not in source.tree.files:
        ledger.prefix = f"{tops[0]}/"
    tree = _below(source.tree, ledger)
    layout = _layout(tree, challenge)
    reader = _Reader(tree, challenge, ledger, need_labels=need_labels)
    sheets = list(_sheets(tree, challenge, layout))
    for sheet in sheets:
        reader.read(sheet)
    if not sheets:
        report_missing([layout.jsonl_path(challenge.languages[0], next(iter(layout.names)))], tree, ledger)
    return References(tuple(reader.dialogues), layout.id, ledger.findings.result()[0], tree.root)


def _layout(tree: Tree, challenge: Challenge) -> Layout:
    """The layout with the most JSONLs here; the first of equals."""
    return max(challenge.layouts.values(), key=lambda layout: sum(1 for _ in _sheets(tree, challenge, layout)))


def _sheets(tree: Tree, challenge: Challenge, layout: Layout) -> Iterator[_Sheet]:
    """The layout's JSONLs, in its order; training data splits one by turn count: task2_3.jsonl, task2_4.jsonl."""
    for language in challenge.languages:
        for task in layout.names:
            stem = layout.jsonl_path(language, task).removesuffix(".jsonl")
            pattern = re.compile(re.escape(stem) + r"(_\d+)?\.jsonl")
            for path in sorted(path for path in tree.files if pattern.fullmatch(path)):
                yield _Sheet(path, task, language)


def _beside(jsonl: str, audio_file: str) -> str:
    """The place of an audio file that a JSONL names."""
    return str(PurePosixPath(jsonl).parent / audio_file)


class _Reader:
    """Collects dialogues over all sheets; ids are unique in a task and language."""

    def __init__(self, tree: Tree, challenge: Challenge, ledger: Ledger, *, need_labels: bool) -> None:
        self._tree, self._challenge, self._ledger, self._need_labels = tree, challenge, ledger, need_labels
        self._lines: dict[tuple[str, str, str], int] = {}
        self.dialogues: list[ReferenceDialogue] = []

    def read(self, sheet: _Sheet) -> None:
        for line, value, refusal in read_jsonl(self._tree, sheet.path, self._challenge.read_limits):
            if refusal is not None:
                self._ledger.refuse(refusal, file=sheet.path, line=line or None)
                continue
            errors = schema_errors(_SCHEMA, value)
            for error in errors:
                self._ledger.refuse(error.refusal, file=sheet.path, line=line, pointer=error.pointer)
            if not errors:
                self._dialogue(sheet, line, value)

    def _dialogue(self, sheet: _Sheet, line: int, value: dict[str, Any]) -> None:
        name: str = value["dialogue_id"]
        place: dict[str, Any] = {"file": sheet.path, "line": line}
        fault = "names a path" if "/" in name else name_fault(name, self._challenge.read_limits)
        if fault:
            self._ledger.add("E_ID_NAME", **place, pointer="/dialogue_id", name=quoted(name), what=fault)
            return
        key = (sheet.task, sheet.language, name)
        if key in self._lines:
            self._ledger.add("E_ID_DUP", **place, name=quoted(name), first=self._lines[key])
            return
        self._lines[key] = line
        ids = [turn["turn_id"] for turn in value["turns"]]
        if ids != list(range(1, len(ids) + 1)):
            found, wanted = str(ids)[1:-1], f"1 to {len(ids)}"
            self._ledger.add("E_TURN_ORDER", **place, pointer="/turns", name=quoted(name), found=found, expected=wanted)
        turns = tuple(self._turn(sheet, place, name, index, turn) for index, turn in enumerate(value["turns"]))
        self.dialogues.append(ReferenceDialogue(sheet.task, sheet.language, name, turns))

    def _turn(self, sheet: _Sheet, place: dict[str, Any], name: str, index: int, turn: dict[str, Any]) -> ReferenceTurn:
        here = {**place, "pointer": f"/turns/{index}", "turn": turn["turn_id"], "name": quoted(name)}
        text = aliased(turn, "text", "input_text")
        # Of a voice to be made (task 5), the emotion is the one that was asked for.
        emotion = aliased(turn, "emotion", "input_emotion") or turn.get("target_emotion")
        audio = aliased(turn, "split_audio_file", "input_audio") or None
        labels = tuple((field, turn[field]) for field in LABEL_FIELDS if turn.get(field))
        if self._need_labels and not labels:
            if not (text or "").strip():
                self._ledger.add("E_GOLD_TEXT", **here)
            if not (emotion or "").strip():
                self._ledger.add("E_GOLD_EMOTION", **here)
        if emotion and emotion not in self._challenge.emotions:
            known = ", ".join(self._challenge.emotions)
            self._ledger.add("W_GOLD_EMOTION", **here, label=quoted(emotion), known=known)
        if audio is not None:
            self._check_audio(sheet, audio, here)
        return ReferenceTurn(turn["turn_id"], text, emotion, audio, labels)

    def _check_audio(self, sheet: _Sheet, audio: str, here: dict[str, Any]) -> None:
        if not is_safe_reference(audio):
            self._ledger.add(
                "E_PATH", file=here["file"], line=here["line"], pointer=here["pointer"], name=quoted(audio)
            )
        elif _beside(sheet.path, audio) not in self._tree.files:
            self._ledger.add("E_GOLD_AUDIO", **here, file_name=quoted(audio))
