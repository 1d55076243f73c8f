"""A team's outputs of a full-duplex track: names, pairing with inputs, readable mono PCM, length, silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.challenge.duplex import DuplexLayout, DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.submission import ReplyAudio
from harness.errors import UsageError
from harness.submission.ledger import Ledger
from harness.submission.pairs.inputs import FOLDERS, PairInputs
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.submission.rules.audio import CheckedWav, WavChecks
from harness.submission.rules.layout import report_missing

_NAMED = re.compile(r"(test|clean)/\1-[0-9]{6}")
_SILENT = "E_WAV_SILENT"
_WAITING = "W_WAV_SILENCE"  # a model that waits is silent for most of the time


@dataclass(frozen=True, slots=True)
class Outputs:
    """``pairs`` maps the path of each input (without .wav) to its output; ``known`` are the files that were looked
    at."""

    pairs: Mapping[str, ReplyAudio]
    known: frozenset[str]


def looks_like_outputs(tree: Tree, challenge: Challenge, track: str | None) -> bool:
    """Whether a submission is one of the full-duplex track: because the caller says so, or by its files."""
    rules = challenge.duplex
    if rules is None or (track is not None and track != rules.track):
        return False
    if track == rules.track:
        return True
    endings = tuple({layout.ending for layout in rules.layouts.values()})
    roots = {layout.root for layout in rules.layouts.values()} - {""}
    tops = {path.split("/", 1)[0] for path in tree.files}
    return bool(tops & roots) or any(path.endswith(endings) for path in tree.files)


def check_outputs(
    tree: Tree,
    challenge: Challenge,
    rules: DuplexRules,
    layout: DuplexLayout,
    inputs: PairInputs | None,
    ledger: Ledger,
) -> Outputs:
    """Every problem of the outputs. ``inputs`` says which are expected and how long; without it completeness is not
    judged."""
    found = {path.removesuffix(layout.ending): path for path in sorted(tree.files) if path.endswith(layout.ending)}
    expected = _expected(inputs, rules)
    _report_names(found, expected, layout, rules, tree, ledger)
    with WavChecks(tree, challenge) as checks:
        checks.ask(found.values())
        results = checks.results()
    lengths = inputs.audio_s if inputs is not None else {}
    pairs: dict[str, ReplyAudio] = {}
    for path, output in found.items():
        if expected is None or path in expected:
            pairs[path] = _audio(results[output], lengths.get(path), rules, ledger)
    for path in sorted((expected or set()) - pairs.keys()):
        pairs[path] = ReplyAudio(layout.output_path(path), "missing")
    return Outputs(pairs, frozenset(found.values()))


def place_outputs(tree: Tree, rules: DuplexRules, chosen: str, ledger: Ledger) -> tuple[DuplexLayout, Tree]:
    """The layout and the tree below the wrapping folder, if there was one.

    Raises UsageError (E_USAGE) for a layout that the track does not have.
    """
    if chosen not in ("auto", *rules.layouts):
        known = ", ".join(rules.layouts)
        raise UsageError(f"there is no layout {chosen!r}", code="E_USAGE", hint=f"the layouts are auto, {known}")
    tops = sorted({path.split("/", 1)[0] for path in tree.files})
    rooted = {layout.root: layout for layout in rules.layouts.values() if layout.root}
    if chosen == "auto":
        layout = next((rooted[top] for top in tops if top in rooted), None) or _without_root(tree, rules)
    else:
        layout = rules.layouts[chosen]
    alone = tops[0] if len(tops) == 1 and tops[0] not in tree.files and tops[0] not in FOLDERS else None
    top = layout.root if layout.root in tops else alone
    if not top or (not layout.root and not _wraps(tree, top)):
        return layout, tree
    outside = [path for path in tree.files if not path.startswith(f"{top}/")]
    for path in outside:
        ledger.add("W_LAYOUT_EXTRA", file=path, name=quoted(path), more="")
    ledger.prefix = f"{top}/"
    if top != layout.root:
        ledger.add("W_ARC_WRAPPED", name=quoted(top))
    return layout, tree.below(top)


def _without_root(tree: Tree, rules: DuplexRules) -> DuplexLayout:
    """With a submission.json at hand the layout that requires one, else the first."""
    manifest = any(path.rpartition("/")[2] == "submission.json" for path in tree.files)
    fitting = [layout for layout in rules.layouts.values() if (layout.manifest == "required") == manifest]
    return (fitting or list(rules.layouts.values()))[0]


def _wraps(tree: Tree, top: str) -> bool:
    """A single folder around everything is taken off unless it is part of the outputs' own paths."""
    return any(
        f"{top}/{name}" in tree.files or f"{top}/{name}" in tree.folders for name in (*FOLDERS, "submission.json")
    )


def _expected(inputs: PairInputs | None, rules: DuplexRules) -> set[str] | None:
    if inputs is None:
        return None
    return {path for path in inputs.audio_s if path.rpartition("/")[2] not in rules.excluded}


def _report_names(
    found: Mapping[str, str],
    expected: set[str] | None,
    layout: DuplexLayout,
    rules: DuplexRules,
    tree: Tree,
    ledger: Ledger,
) -> None:
    """Outputs that are missing, that answer nothing, or whose names cannot be those of this layout."""
    if expected is not None:
        missing = [layout.output_path(path) for path in sorted(expected - found.keys())]
        report_missing(missing, tree, ledger, taken=set(found.values()))
    elif not found:
        report_missing([layout.output_path("test/test-000001")], tree, ledger)
    for path, output in found.items():
        if path.rpartition("/")[2] in rules.excluded:
            continue
        unknown = path not in expected if expected is not None else layout.root and not _NAMED.fullmatch(path)
        if unknown:
            ledger.item("E_PAIR_UNKNOWN", file=output, name=quoted(output))


def _audio(wav: CheckedWav, expected_s: float | None, rules: DuplexRules, ledger: Ledger) -> ReplyAudio:
    """Report one output. Silence is listed and no fault, but it has a length too: one beyond the input is a fault of
    the pair where the input is known."""
    for problem in wav.problems:
        if problem.code == _SILENT:
            ledger.add("W_PAIR_SILENT", file=wav.audio.path)
        elif problem.code != _WAITING:
            ledger.refuse_item(problem, file=wav.audio.path)
    if expected_s is not None and wav.audio.state != "invalid":
        for problem in length_problems(wav.lasts_s, expected_s, rules):
            ledger.refuse_item(problem, file=wav.audio.path)
            if problem.code == "E_PAIR_LENGTH":
                return ReplyAudio(wav.audio.path, "invalid", wav.audio.sha256)
    return wav.audio


def length_problems(seconds: float, expected_s: float, rules: DuplexRules) -> list[Refusal]:
    """An output that is far longer than its input is refused; one that differs is listed."""
    found, wanted = f"{seconds:.3f}", f"{expected_s:.3f}"
    if seconds - expected_s > rules.max_excess_s:
        return [Refusal("E_PAIR_LENGTH", seconds=found, expected=wanted, limit=rules.max_excess_s)]
    if abs(seconds - expected_s) > rules.length_tolerance_s:
        return [Refusal("W_PAIR_LENGTH", seconds=found, expected=wanted)]
    return []
