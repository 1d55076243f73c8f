"""Pairs of a full-duplex track that the organisers' report draws and plays: chosen, timed, and put into one recording.

What was measured comes from pairs.jsonl beside a report. What can be heard comes from the organisers' inputs and a
team's outputs, and is measured again: where that gives other intervals, the page says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.duplex import input_path
from harness.documents.published import ShownPair, Spans
from harness.duplex import Interval, PairTiming, TimingRules, pair_timing
from harness.errors import Refused, UsageError
from harness.evaluation.score_files import Found
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity
from harness.submission import Recording, Recordings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

PAIRS = "pairs.jsonl"
_BESIDE = ("outputs", "submission")  # what `evaluate`, `run` and `duplex stream` call a folder of outputs
_ACCEPTED = frozenset({"E_WAV_SILENT"})
_SIDES = ("user", "model", "stop", "response")


@dataclass(frozen=True, slots=True)
class PairChoice:
    """``per_case`` pairs of each scenario and language, the same inputs for every team, and those of ``names``.
    ``inputs`` is the organisers' folder, ``outputs`` a team's folder by its id; without inputs nothing is heard."""

    per_case: int = 1
    names: tuple[str, ...] = ()
    inputs: Path | None = None
    outputs: Mapping[str, Path] = field(default_factory=dict)


def shown_pairs(found: Sequence[Found], challenge: Challenge, choice: PairChoice) -> dict[str, tuple[ShownPair, ...]]:
    """Team to its pairs, in the order of scenario, language and name; teams without pairs.jsonl are left out.

    Raises UsageError (E_DOCUMENT for a pairs.jsonl that is none, E_USAGE for names or teams that are not there),
    MachineError (I_HEARING) when something is to be heard and voice activity is not installed.
    """
    rules = challenge.duplex
    shown: dict[str, tuple[ShownPair, ...]] = {}
    known: set[str] = set()
    teams = {entry.report.team for entry in found}
    if choice.outputs.keys() - teams:
        raise UsageError(
            f"there is no report of {sorted(choice.outputs.keys() - teams)[0]!a}",
            code="E_USAGE",
            hint="--outputs names a team by its id, as in its report",
        )
    if rules is None:
        return {}
    with Recordings(challenge, accepted=_ACCEPTED) as recordings:
        show = _Show(challenge, rules, choice, recordings)
        for entry in found:
            path = entry.path.parent / PAIRS
            if entry.report.track == rules.track and path.is_file():
                lines = _read(path)
                known |= {line["file"] for line in lines}
                shown[entry.report.team] = tuple(show.pairs(entry, lines))
    unknown = sorted(set(choice.names) - known)
    if unknown:
        raise UsageError(
            f"no report has the pair {unknown[0]!a}", code="E_USAGE", hint=f"`file` in {PAIRS} names the pairs"
        )
    return shown


class _Show:
    """Reads the audio of chosen pairs with one loaded voice model; an input is measured once for all teams."""

    def __init__(self, challenge: Challenge, rules: DuplexRules, choice: PairChoice, recordings: Recordings) -> None:
        self._challenge, self._rules, self._choice, self._recordings = challenge, rules, choice, recordings
        self._activity = VoiceActivity(rules.voice_activity) if choice.inputs is not None else None
        self._heard: dict[Path, tuple[Samples, list[Interval]] | None] = {}

    def pairs(self, entry: Found, lines: Sequence[dict[str, Any]]) -> Iterator[ShownPair]:
        folder = self._choice.outputs.get(entry.report.team) or _beside(entry.path)
        for line in _chosen(lines, self._rules, self._challenge.languages, self._choice):
            yield self._pair(line, folder)

    def _pair(self, line: dict[str, Any], outputs: Path | None) -> ShownPair:
        spans: dict[str, Spans | None] = {side: line.get(side) for side in _SIDES}
        notes = [] if line["state"] == "ok" else [f"the output is {line['state']}"]
        user = model = None
        if self._choice.inputs is not None:
            name = input_path(line["file"])
            user = self._listen(self._choice.inputs / f"{name}.wav", self._choice.inputs)
            model = self._output(name, outputs) if line["state"] == "ok" else None
            if user is None:
                notes.append("its input is not there, or is no acceptable WAV")
            if model is None and line["state"] == "ok":
                notes.append("its output is not there, or is no acceptable WAV: --outputs names a team's folder")
        if user is not None:
            spans, more = _measured(spans, user, model, self._rules)
            notes += more
        ends = [end for each in spans.values() for _, end in each or ()]
        lengths = [len(side[0]) / RATE_HZ for side in (user, model) if side is not None]
        return ShownPair(
            file=line["file"],
            language=line["language"],
            case=_case(line),
            state=line["state"],
            duration_s=round(max([*ends, *lengths], default=0.0), 3),
            **spans,
            labels=line.get("behaviour"),
            delay_s=line.get("first_response_delay_s"),
            audio=None if user is None else _recording(user[0], None if model is None else model[0]),
            notes=tuple(notes),
        )

    def _output(self, name: str, outputs: Path | None) -> tuple[Samples, list[Interval]] | None:
        for layout in self._rules.layouts.values() if outputs is not None else ():
            for top in dict.fromkeys(("", layout.root)):
                path = outputs / top / layout.output_path(name)  # type: ignore[operator]
                if path.is_file():
                    return self._listen(path, outputs)  # type: ignore[arg-type]
        return None

    def _listen(self, path: Path, root: Path) -> tuple[Samples, list[Interval]] | None:
        """Samples and speech of one WAV; None when there is none. A link is never followed: it could lead a team's
        page to what another one handed in."""
        if path not in self._heard:
            self._heard[path] = None
            if path.is_file() and path.resolve() == root.resolve() / path.relative_to(root):
                try:
                    samples = self._recordings.samples(Recording(path))
                except Refused:
                    return None
                assert self._activity is not None
                found = self._activity.segments(samples)
                self._heard[path] = samples, [(start / RATE_HZ, end / RATE_HZ) for start, end in found]
        return self._heard[path]


def _measured(
    stored: Mapping[str, Spans | None],
    user: tuple[Samples, list[Interval]],
    model: tuple[Samples, list[Interval]] | None,
    rules: DuplexRules,
) -> tuple[dict[str, Spans | None], list[str]]:
    """The intervals that were scored where there are some, else those of the audio; and whether both agree."""
    gaps = TimingRules(rules.user_gap_s, rules.model_gap_s)
    timing: PairTiming = pair_timing(user[1], [] if model is None else model[1], gaps)
    if model is None:
        return {**stored, "user": timing.user}, []
    again: dict[str, Spans | None] = {side: getattr(timing, side) for side in _SIDES}
    scored = {side: spans for side, spans in stored.items() if spans is not None}
    if any(again[side] != spans for side, spans in scored.items()):
        return {**again, **scored}, ["measured again, this audio gives other intervals: it is not what was scored"]
    return again, []


def _read(path: Path) -> list[dict[str, Any]]:
    """The lines of one pairs.jsonl with their spans as tuples. Raises UsageError (E_DOCUMENT)."""
    try:
        return [_line(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a file of measured pairs: {error}",
            code="E_DOCUMENT",
            hint="pass what `humdial score` wrote; score that team again",
        ) from error


def _line(plain: dict[str, Any]) -> dict[str, Any]:
    found = {name: str(plain[name]) for name in ("file", "language", "scenario", "state")}
    if not all(part not in ("", ".", "..") for part in found["file"].split("/")):
        raise ValueError("a pair is named by a path that leads elsewhere")
    spans = {
        side: tuple((_seconds(start), _seconds(end)) for start, end in plain[side])
        for side in _SIDES
        if plain.get(side) is not None
    }
    labels, delay = plain.get("behaviour"), plain.get("first_response_delay_s")
    return {
        **found,
        **spans,
        "part": None if plain.get("part") is None else str(plain["part"]),
        "behaviour": None if labels is None else tuple(map(str, labels)),
        "first_response_delay_s": None if delay is None else _seconds(delay),
    }


def _seconds(value: Any) -> float:
    number = float(value)
    if not abs(number) < 1e6:  # NaN and infinity too
        raise ValueError("a time is no number of seconds")
    return number


def _case(line: Mapping[str, Any]) -> str:
    return f"{line['scenario']}_{line['part']}" if line["part"] else str(line["scenario"])


def _chosen(
    lines: Iterable[dict[str, Any]], rules: DuplexRules, languages: Sequence[str], choice: PairChoice
) -> list[dict[str, Any]]:
    """Those that are named, and of each case and language the first in an order that depends on names alone."""
    cases = [case.id for case in rules.cases]
    groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for line in lines:
        if _case(line) in cases and line["language"] in languages:
            key = (cases.index(_case(line)), languages.index(line["language"]))
            groups.setdefault(key, []).append(line)
    found = []
    for _, group in sorted(groups.items()):
        first = sorted(group, key=lambda line: hashlib.sha256(line["file"].encode()).digest())[: choice.per_case]
        found += [line for line in group if line in first or line["file"] in choice.names]
    return found


def _beside(report: Path) -> Path | None:
    """A folder of outputs beside a report: in `score --out` or `run --out` folders, or a run directory's team."""
    places = (base / name for base in (report.parent, report.parent.parent) for name in _BESIDE)
    return next((place for place in places if place.is_dir() and not place.is_symlink()), None)


def _recording(user: Samples, model: Samples | None) -> bytes:
    """Both sides on one time line, lossless: equal samples give equal bytes."""
    import numpy as np
    import soundfile

    both = np.zeros((max(len(user), 0 if model is None else len(model)), 2), np.int16)
    both[: len(user), 0] = user
    if model is not None:
        both[: len(model), 1] = model
    made = BytesIO()
    soundfile.write(made, both, RATE_HZ, format="FLAC", subtype="PCM_16")
    return made.getvalue()
