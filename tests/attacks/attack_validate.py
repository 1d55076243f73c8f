"""The stages that try `humdial validate`: `validate`, `lines` and `wavs`.

Starting the command costs more than most attacks, so several cases are given to one run of it, each with submissions
of its own: what is said of one must not depend on what lies beside it. A case that takes long or changes its subjects
meanwhile is tried alone, and so is every case of a joint run that breaks a promise, to see which of them it was.
"""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import attack_audio
import made
import pytest
from attack_case import Box, Case, Seen, cases
from attack_stages import STAGES, Outcome, command

from harness.documents.codec import from_plain
from harness.documents.codes import all_codes
from harness.documents.finding import ValidationReport
from harness.reporting.validation import FORMATS, render_all

_DRAFTS, _WHOLE = 10, 4  # cases in one run: without a PDF in each submission, and with one, whose reader costs more
_done: dict[str, Outcome | None] = {}


@dataclass(frozen=True, slots=True)
class Composed:
    """What a case hands to the command, and how its reports, one a path, are read."""

    paths: list[Path | str]
    read: Callable[[list[dict[str, Any]]], dict[str, Seen]]


def validate(case: Case, box: Box) -> Composed:
    """Every entry of subjects is a submission."""
    names = sorted(path.name for path in box.subjects.iterdir())
    given = sorted(case.more.get("paths", ()))
    return Composed(
        [*(box.subjects / name for name in names), *given],
        lambda documents: dict(zip([*names, *given], map(_seen, documents), strict=True)),
    )


def lines(case: Case, box: Box) -> Composed:
    """One submission in which every subject is a line of one JSONL; what is said of the file as a whole is the subject
    "(file)"."""
    target = case.more.get("target", "zh/task2.jsonl")
    names = sorted(path.name for path in box.subjects.iterdir())
    files = _without_pdf()
    files[target] = b"\n".join((box.subjects / name).read_bytes() for name in names) + b"\n"
    made.write(box.composed / "sub", files)
    places = {(target, number): name for number, name in enumerate(names, 1)} | {(target, None): "(file)"}
    return Composed([box.composed / "sub"], lambda documents: _by_place(documents[0], places, names))


def wavs(case: Case, box: Box) -> Composed:
    """One submission in which every subject is the WAV of a reply."""
    names = sorted(path.name for path in box.subjects.iterdir())
    files, rows = _without_pdf(), []
    places: dict[tuple[str, int | None], str] = {}
    made.write(box.composed / "sub", files)
    for number, name in enumerate(names, 1):
        dialogue = f"task4_1_zh_9999_{number:04d}"
        rows.append(made.line(dialogue, made.turns("zh")[:1]))
        path = f"zh/task4/{dialogue}_1_response.wav"
        (box.subjects / name).rename(box.composed / "sub" / path)  # moved: a hole stays a hole, a link a link
        places[path, None] = name
    with (box.composed / "sub/zh/task4.jsonl").open("ab") as stream:
        stream.write(made.jsonl(list(rows)))
    return Composed(
        [box.composed / "sub"], lambda documents: _heard_alike(_by_place(documents[0], places, names), box, places)
    )


def _heard_alike(found: dict[str, Seen], box: Box, places: dict[tuple[str, int | None], str]) -> dict[str, Seen]:
    """What is judged of an accepted WAV is the same to every reader."""
    for (path, _), name in places.items():
        if found[name].outcome != "REJECT":
            out, codes = attack_audio.ours((box.composed / "sub" / path).read_bytes())
            assert out is not None
            assert codes == found[name].codes - {"F_CONST_AUDIO"}
    return found


COMPOSE: dict[str, Callable[[Case, Box], Composed]] = {"validate": validate, "lines": lines, "wavs": wavs}


def alone(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """One case whose subjects are made already; the last submission is an honest team's."""
    return _try([(case, box)], box, request)[case.id]


def together(case: Case, request: pytest.FixtureRequest) -> Outcome | None:
    """What became of a case that was tried with others; None for one that must be tried alone."""
    if not _joins(case):
        return None
    if case.id not in _done:
        _done.update(_try_together(_group(case), request))
    return _done[case.id]


def _joins(case: Case) -> bool:
    odd = not case.steady or case.args or case.marks or case.more.get("paths") or case.more.get("alone")
    return case.stage in COMPOSE and not odd


def _draft(case: Case) -> bool:
    return case.stage != "validate" or bool(case.more.get("draft"))


def _group(case: Case) -> list[Case]:
    alike = (case.stage, case.section, _draft(case))
    mine = [each for each in cases() if _joins(each) and (each.stage, each.section, _draft(each)) == alike]
    size = _DRAFTS if _draft(case) else _WHOLE
    first = mine.index(case) // size * size
    return mine[first : first + size]


def _try_together(group: Sequence[Case], request: pytest.FixtureRequest) -> dict[str, Outcome | None]:
    root: Path = request.getfixturevalue("tmp_path_factory").mktemp("together")
    with ExitStack() as stack:
        tried = []
        for case in group:
            (root / case.id).mkdir()
            box = Box.new(root / case.id)
            stack.callback(box.remove)
            stack.enter_context(made_subjects(case, box))
            tried.append((case, box))
        (root / "all").mkdir()
        joint = Box.new(root / "all")
        stack.callback(joint.remove)
        try:
            return dict(_try(tried, joint, request))
        except AssertionError as error:
            warnings.warn(f"tried alone from {group[0].id} on: {error}", stacklevel=2)
            return dict.fromkeys(case.id for case in group)


def _try(tried: Sequence[tuple[Case, Box]], joint: Box, request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """Each case's outcome from one command over all their submissions, run in two surroundings that must not show."""
    honest, lone = request.getfixturevalue("honest")
    composed = [COMPOSE[case.stage](case, box) for case, box in tried]
    first = tried[0][0]
    options = ["--draft"] if _draft(first) else ["--inputs", honest / "in"]
    paths = [path for each in composed for path in each.paths]
    before = [box.guarded() for _, box in tried]
    runs = []
    for environment in range(2):
        with disturbed(first, tried[0][1].subjects):
            arguments = ("validate", *paths, honest / "sub", *options, *first.args, "-f", "json")
            runs.append(command(joint, *arguments, environment=environment))
        assert list(joint.tmp.iterdir()) == [], "something stays in TMPDIR"
    if first.steady:
        assert [box.guarded() for _, box in tried] == before, "a subject, the bait or the home changed"
        assert runs[0].stdout == runs[1].stdout, "the second run says something else"
        assert (runs[0].exit, runs[0].stderr) == (runs[1].exit, runs[1].stderr)
    documents = json.loads(runs[0].stdout)
    assert runs[0].exit == int(not all(document["valid"] for document in documents))
    assert documents.pop() == lone[not _draft(first)], "another team's report changed"
    found: dict[str, Outcome] = {}
    for (case, _), each in zip(tried, composed, strict=True):
        mine, documents = documents[: len(each.paths)], documents[len(each.paths) :]
        found[case.id] = (each.read(mine), runs)
    assert documents == []
    return found


@contextmanager
def made_subjects(case: Case, box: Box) -> Iterator[None]:
    """make.py's subjects, and afterwards its ``clean(subjects)`` when it has one."""
    module = case.module()
    if hasattr(module, "make"):
        module.make(box.subjects, Random(case.number))
    try:
        yield
    finally:
        if hasattr(module, "clean"):
            module.clean(box.subjects)


@contextmanager
def disturbed(case: Case, subjects: Path) -> Iterator[None]:
    """make.py's ``during(subjects, stop)`` in a thread, when it has one."""
    during = getattr(case.module(), "during", None)
    if during is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=during, args=(subjects, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _without_pdf() -> made.Files:
    """A good submission but for its PDF, whose reader takes longer to start than all the rest."""
    return {path: data for path, data in made.submission().items() if not path.endswith(".pdf")}


def _by_place(document: dict[str, Any], places: dict[tuple[str, int | None], str], names: list[str]) -> dict[str, Seen]:
    """What a report says of each place; "(file)" only when something is said of it."""
    _seen(document)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for finding in _but_for_the_pdf(document):
        found.setdefault(places[finding["file"], finding["line"]], []).append(finding)
    return {name: _outcome(findings, document) for name, findings in found.items()}


def _but_for_the_pdf(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings without the warning that a draft has no description."""
    missing = ("E_LAYOUT_MISSING", "system_description.pdf", "warning")
    return [each for each in document["findings"] if (each["code"], each["file"], each["severity"]) != missing]


def _seen(document: dict[str, Any]) -> Seen:
    """The outcome that a report stands for; every word of it is from the closed list and printable in every format."""
    report = from_plain(ValidationReport, document)
    for format_ in FORMATS:
        text = render_all([report], format_).decode("utf-8")
        assert all(character.isprintable() or character == "\n" for character in text)
    for finding in report.findings:
        assert finding.code in all_codes()
        assert len(finding.message) <= 1000, finding
    return _outcome(_but_for_the_pdf(document), document)


def _outcome(findings: Sequence[dict[str, Any]], document: dict[str, Any]) -> Seen:
    codes = frozenset(finding["code"] for finding in findings)
    if any(finding["severity"] == "error" for finding in findings):
        outcome = "REJECT"
    elif any(code.startswith("I_") for code in codes):
        outcome = "FLOOR"
    elif any(code.startswith("F_") for code in codes):
        outcome = "FLAG"
    else:
        outcome = "WARN" if codes else "ACCEPT"
    return Seen(outcome, codes, {**document, "count": len(findings)})


STAGES |= dict.fromkeys(COMPOSE, alone)
