"""The organisers' side of a full-duplex track: WAVs in test/ and clean/ with a private key.jsonl, or a dev folder with
an annotation beside each input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.challenge.duplex import DuplexCase, DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.finding import Checked, Finding
from harness.submission.ledger import Ledger
from harness.submission.pairs.annotation import annotation_of, annotation_problems
from harness.submission.readers.apart import WavReader
from harness.submission.readers.jsonl import read_jsonl
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.schema import schema_errors
from harness.submission.readers.strict_json import parse_json
from harness.submission.readers.tree import Tree
from harness.submission.source import open_source

KEY = "key.jsonl"
FOLDERS = ("test", "clean")
_SENTENCE = "_sentence.json"
_CLEAN = "clean_"
_LANGUAGES = re.compile(r"(zh|cn|en)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PairInputs:
    """``audio_s`` maps the path of each input (without .wav) to how long it lasts, None where its WAV is not here or
    cannot be read. ``key`` says what each is; empty for a participant's folder of WAVs only."""

    root: Path
    audio_s: Mapping[str, float | None]
    key: tuple[DuplexInput, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Reading:
    tree: Tree
    challenge: Challenge
    rules: DuplexRules
    ledger: Ledger
    audio_s: dict[str, float | None] = field(default_factory=dict)
    key: list[DuplexInput] = field(default_factory=list)


def looks_like_inputs(tree: Tree) -> bool:
    """Whether a folder of inputs is one of a full-duplex track: a key, WAVs in test/ or clean/, or annotations."""
    return KEY in tree.files or any(
        path.endswith(_SENTENCE) or (path.endswith(".wav") and path.split("/", 1)[0] in FOLDERS) for path in tree.files
    )


def has_pairs(folder: Path, challenge: Challenge) -> bool:
    """`looks_like_inputs` for a folder that was not listed yet."""
    if challenge.duplex is None or not folder.is_dir():
        return False
    if (folder / KEY).is_file() or any((folder / name).is_dir() for name in FOLDERS):
        return True
    return next(folder.rglob(f"*{_SENTENCE}"), None) is not None


def read_pairs(folder: Path, challenge: Challenge, rules: DuplexRules) -> PairInputs:
    """Read a folder of inputs. Errors are findings, never exceptions, but for UsageError (E_USAGE) when there is
    nothing at the path."""
    ledger = Ledger()
    try:
        with open_source(folder, None, challenge.read_limits) as source:
            reading = read_tree(source.tree, challenge, rules, ledger)
    except Refusal as refusal:
        ledger.refuse(refusal)
        return PairInputs(folder, {}, (), ledger.findings.result()[0])
    return PairInputs(folder, reading.audio_s, tuple(reading.key), ledger.findings.result()[0])


def check_pair_data(tree: Tree, challenge: Challenge, rules: DuplexRules, ledger: Ledger) -> Checked:
    """Everything that `read_pairs` reports, as a check of the organisers' folder."""
    reading = read_tree(tree, challenge, rules, ledger)
    seconds = sum(length for length in reading.audio_s.values() if length is not None)
    return Checked(files=len(tree.files), dialogues=len(reading.key), audio_seconds=round(seconds, 3))


def read_tree(tree: Tree, challenge: Challenge, rules: DuplexRules, ledger: Ledger) -> _Reading:
    """The inputs in a listed folder, with whatever is wrong about them in ``ledger``."""
    for refusal in tree.refusals:
        ledger.refuse(refusal)
    reading = _Reading(tree, challenge, rules, ledger)
    released = KEY in tree.files or any(path.split("/", 1)[0] in FOLDERS for path in tree.files)
    endings = tuple({layout.ending for layout in rules.layouts.values()})
    wavs = [path for path in sorted(tree.files) if path.endswith(".wav") and not path.endswith(endings)]
    _read_lengths(reading, wavs)
    if KEY in tree.files:
        _read_key(reading)
    elif not released:
        _read_dev(reading)
    return reading


def _read_lengths(reading: _Reading, paths: list[str]) -> None:
    """How long each input lasts, from its header; None (and a finding) when it is no strict WAV."""
    order = {"do": "head", "root": str(reading.tree.root), "file_bytes": 0}
    with WavReader(order, reading.challenge.audio, reading.challenge.read_limits) as reader:
        files = [reading.tree.files[path] for path in paths]
        reader.ask([(entry.path, entry.bytes, entry.stamp) for entry in files])
        answers = reader.answers()
    for path, answer in zip(paths, answers, strict=True):
        reading.audio_s[path.removesuffix(".wav")] = answer.duration_s if answer.accepted else None
        for problem in answer.problems:
            if problem.code.startswith("E_"):
                reading.ledger.refuse(problem, file=path)


def _read_key(reading: _Reading) -> None:
    seen: dict[str, int] = {}
    for line, value, refusal in read_jsonl(reading.tree, KEY, reading.challenge.read_limits):
        if refusal is not None:
            reading.ledger.refuse(refusal, file=KEY, line=line or None)
            continue
        errors = schema_errors("duplex-input", value)
        for error in errors:
            reading.ledger.refuse(error.refusal, file=KEY, line=line, pointer=error.pointer)
        if errors:
            continue
        name = value["file"]
        if name in seen:
            reading.ledger.add("E_ID_DUP", file=KEY, line=line, name=quoted(name), first=seen[name])
            continue
        seen[name] = line
        found = _keyed(reading, value, {"file": KEY, "line": line})
        if found is not None:
            reading.key.append(found)


def _keyed(reading: _Reading, value: dict[str, Any], place: dict[str, Any]) -> DuplexInput | None:
    name, part, clean = value["file"], value.get("part"), value.get("clean")
    case = reading.rules.case(value["scenario"], part)
    add = reading.ledger.add
    if value["language"] not in reading.challenge.languages:
        known = ", ".join(reading.challenge.languages)
        what = f"there is no language {quoted(value['language'])}; there are {known}"
        add("E_KEY", **place, pointer="/language", name=quoted(name), what=what)
        return None
    if case is None:
        known = ", ".join(each.id for each in reading.rules.cases)
        what = f"there is no scenario {quoted(value['scenario'])} with the part {part}; there are {known}"
        add("E_KEY", **place, pointer="/scenario", name=quoted(name), what=what)
        return None
    if case.clean != (clean is not None):
        what = (
            "its scenario has a clean counterpart, none is named" if case.clean else "its scenario has no clean input"
        )
        add("E_KEY", **place, pointer="/clean", name=quoted(name), what=what)
    for each in (name, clean):
        if each is not None and input_path(each) not in reading.audio_s:
            add("E_KEY_AUDIO", **place, name=quoted(each), path=quoted(input_path(each) + ".wav"))
    return _annotated(
        reading, DuplexInput(name, value["language"], case.scenario, part, clean, annotation_of(value)), case, place
    )


def _annotated(reading: _Reading, found: DuplexInput, case: DuplexCase, place: dict[str, Any]) -> DuplexInput:
    audio_s = reading.audio_s.get(input_path(found.file))
    for problem in annotation_problems(found.annotation, case, audio_s):
        reading.ledger.refuse(problem, file=place["file"], line=place.get("line"))
    return found


def _read_dev(reading: _Reading) -> None:
    """A dev folder: every input has its annotation beside it; its folder names the scenario, a folder above it the
    language, and in a folder of both halves of third-party speech the name's end says which."""
    sentences = [path for path in sorted(reading.tree.files) if path.endswith(_SENTENCE)]
    for path in sentences:
        stem = path.removesuffix(_SENTENCE)
        folder, _, name = stem.rpartition("/")
        if name.startswith(_CLEAN):
            continue
        case = _dev_case(folder, name, reading.rules)
        language = _dev_language(folder, reading.challenge)
        if case is None or language is None:
            what = "scenario" if case is None else "language"
            reading.ledger.add("E_KEY", file=path, name=quoted(stem), what=f"no folder above it names a {what}")
            continue
        value = _sentence(reading, path)
        if value is None:
            continue
        if stem not in reading.audio_s:
            reading.ledger.add("E_KEY_AUDIO", file=path, name=quoted(stem), path=quoted(stem + ".wav"))
        clean = f"{folder}/{_CLEAN}{name}" if case.clean else None
        if clean is not None and clean not in reading.audio_s:
            reading.ledger.add("W_KEY_CLEAN", file=path, name=quoted(stem), path=quoted(clean + ".wav"))
            clean = None
        found = DuplexInput(stem, language, case.scenario, case.part, clean, annotation_of(value))
        reading.key.append(_annotated(reading, found, case, {"file": path}))
    for stem in sorted(set(reading.audio_s) - {path.removesuffix(_SENTENCE) for path in sentences}):
        if not stem.rpartition("/")[2].startswith(_CLEAN):
            reading.ledger.add("E_ANNOT_MISSING", file=f"{stem}.wav", name=quoted(f"{stem}{_SENTENCE}"))


def _sentence(reading: _Reading, path: str) -> dict[str, Any] | None:
    limits = reading.challenge.read_limits
    try:
        if reading.tree.files[path].bytes > limits.line_bytes:
            raise Refusal("E_JSON_SIZE", bytes=reading.tree.files[path].bytes, limit=limits.line_bytes)
        value = parse_json(reading.tree.read(path), limits.depth)
    except Refusal as refusal:
        reading.ledger.refuse(refusal, file=path)
        return None
    errors = schema_errors("duplex-sentence", value)
    for error in errors:
        reading.ledger.refuse(error.refusal, file=path, pointer=error.pointer)
    return None if errors else value


def _dev_case(folder: str, name: str, rules: DuplexRules) -> DuplexCase | None:
    parts = [part.casefold() for part in folder.split("/")]
    matching = list(_cases_named(parts, rules))
    if len(matching) == 1:
        return matching[0]
    halves = [case for case in rules.cases if case.part is not None]
    heads = {each.casefold().removesuffix(f"_{case.part}"): case.scenario for case in halves for each in case.folders}
    if any(part in heads for part in parts):
        wanted = "before" if name.endswith("_before") else "after"
        return next((case for case in halves if case.part == wanted), None)
    return None


def _cases_named(parts: list[str], rules: DuplexRules) -> Iterator[DuplexCase]:
    for case in rules.cases:
        if any(each.casefold() in parts for each in case.folders):
            yield case


def _dev_language(folder: str, challenge: Challenge) -> str | None:
    """zh or en from a folder name such as en, cn or en_dev."""
    for part in folder.split("/"):
        found = _LANGUAGES.match(part)
        if found:
            language = found.group(1).casefold().replace("cn", "zh")
            if language in challenge.languages:
                return language
    return None
