"""The lines of one JSONL: shape, ids, order of turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.challenge.spec import Challenge
from harness.submission.ledger import Ledger
from harness.submission.readers.jsonl import read_jsonl
from harness.submission.readers.paths import name_fault
from harness.submission.readers.refusal import quoted
from harness.submission.readers.schema import json_pointer, property_names, schema_errors
from harness.submission.readers.tree import Tree
from harness.submission.settings import Part

_SCHEMA = "dialogue-line"
_LINE_KEYS, _ = property_names(_SCHEMA)
_TURN_KEYS, _IGNORED_KEYS = property_names(_SCHEMA, "properties", "turns", "items")
_SHOWN_TURNS = 12


@dataclass(frozen=True, slots=True)
class RawDialogue:
    """One line that has the right shape. ``turns`` pairs each usable turn with its place in the line."""

    dialogue_id: str
    line: int
    turns: tuple[tuple[int, dict[str, Any]], ...]


@dataclass(slots=True)
class _Tally:
    """What is counted over a file and said once."""

    unknown: int = 0
    unknown_name: str = ""
    ignored: int = 0
    first_line: dict[str, int] = field(default_factory=dict)


def read_dialogues(tree: Tree, part: Part, challenge: Challenge, ledger: Ledger) -> list[RawDialogue]:
    """Every dialogue of one JSONL that can be used; everything else is reported.

    Reports E_JSON_*, E_SCHEMA_*, E_ID_*, E_TURN_* and, once a file, W_SCHEMA_*.
    """
    path, tally = part.jsonl, _Tally()
    found: dict[str, RawDialogue | None] = {}
    before = ledger.findings.faults
    for line, value, refusal in read_jsonl(tree, path, challenge.read_limits, lambda: ledger.findings.faults - before):
        if refusal is not None:
            ledger.refuse(refusal, file=path, line=line or None)
            continue
        dialogue = _shaped(value, line, path, challenge, ledger, tally)
        if dialogue is None:
            continue
        name = dialogue.dialogue_id
        if name in found:
            ledger.item("E_ID_DUP", file=path, line=line, name=quoted(name), first=tally.first_line[name])
            found[name] = None  # which of the two counts is not for us to choose
        else:
            tally.first_line[name] = line
            found[name] = dialogue if _known(dialogue, part, challenge, ledger) else None
    _report_missing(set(found), part, challenge, ledger)
    if tally.unknown:
        ledger.add("W_SCHEMA_EXTRA", file=path, count=tally.unknown, name=quoted(tally.unknown_name))
    if tally.ignored:
        ledger.add("W_SCHEMA_IGNORED", file=path, count=tally.ignored)
    return [dialogue for dialogue in found.values() if dialogue is not None]


def _shaped(
    value: Any, line: int, path: str, challenge: Challenge, ledger: Ledger, tally: _Tally
) -> RawDialogue | None:
    broken_turns: set[str | int] = set()
    broken = False
    # Unknown keys are counted below and cost nothing here, whatever they hold.
    known = {key: value[key] for key in value if key in _LINE_KEYS} if isinstance(value, dict) else value
    for error in schema_errors(_SCHEMA, known):
        ledger.refuse_item(error.refusal, file=path, line=line, pointer=error.pointer)
        if len(error.path) >= 2:
            broken_turns.add(error.path[1])
        else:
            broken = True
    if not isinstance(value, dict) or not _few_unknown(value, line, path, challenge, ledger, tally) or broken:
        return None
    turns = tuple((place, turn) for place, turn in enumerate(value["turns"]) if place not in broken_turns)
    name: str = value["dialogue_id"]
    if fault := _id_fault(name, challenge):
        ledger.item("E_ID_NAME", file=path, line=line, pointer="/dialogue_id", name=quoted(name), what=fault)
        return None
    dialogue = RawDialogue(name, line, turns)
    return dialogue if turns else None


def _few_unknown(
    value: dict[str, Any], line: int, path: str, challenge: Challenge, ledger: Ledger, tally: _Tally
) -> bool:
    """Count unknown and ignored keys; whether no object has more unknown ones than are tolerated."""
    limit, few = challenge.read_limits.extra_keys, True
    turns = value.get("turns")
    rows = list(enumerate(turns)) if isinstance(turns, list) else []
    unknown = [(value.keys() - _LINE_KEYS, "")] if not value.keys() <= _LINE_KEYS else []
    for place, turn in rows:
        if isinstance(turn, dict) and not turn.keys() <= _TURN_KEYS:
            unknown.append((turn.keys() - _TURN_KEYS, json_pointer(("turns", place))))
    for names, pointer in unknown:
        if len(names) > limit:
            few = False
            ledger.item("E_SCHEMA_EXTRA", file=path, line=line, pointer=pointer, count=len(names), limit=limit)
    if unknown:
        tally.unknown += 1
        tally.unknown_name = tally.unknown_name or min(unknown[0][0])
    tally.ignored += any(isinstance(turn, dict) and not _IGNORED_KEYS.isdisjoint(turn) for _, turn in rows)
    return few


def _id_fault(name: str, challenge: Challenge) -> str | None:
    if "/" in name or "\\" in name or name.startswith("."):
        return "names a path"
    return name_fault(name, challenge.read_limits)


def _known(dialogue: RawDialogue, part: Part, challenge: Challenge, ledger: Ledger) -> bool:
    """Whether the inputs have this dialogue; reports what is odd about its turns."""
    place = {"file": part.jsonl, "line": dialogue.line}
    ids = [turn["turn_id"] for _, turn in dialogue.turns]
    if part.dialogues is None:
        _report_turns(dialogue, ids, list(range(1, max(ids) + 1)), place, ledger)
        return True
    reference = part.dialogues.get(dialogue.dialogue_id)
    if reference is None:
        if not challenge.excluded(part.layout.id, part.task.id, dialogue.dialogue_id):
            suggestion = _near_id(dialogue.dialogue_id, part)
            ledger.item(
                "E_ID_UNKNOWN",
                **place,
                pointer="/dialogue_id",
                name=quoted(dialogue.dialogue_id),
                suggestion=suggestion,
            )
        return False
    _report_turns(dialogue, ids, [turn.turn_id for turn in reference.turns], place, ledger)
    return True


def _near_id(name: str, part: Part) -> str:
    wanted = name.strip().casefold()
    near = next((known for known in part.dialogues or () if known.casefold() == wanted), None)
    return f"; did you mean {quoted(near)}?" if near else ""


def _report_turns(
    dialogue: RawDialogue, ids: list[int], expected: list[int], place: dict[str, object], ledger: Ledger
) -> None:
    name = quoted(dialogue.dialogue_id)
    known, seen = set(expected), set[int]()
    odd = False
    for (index, _), turn in zip(dialogue.turns, ids, strict=True):
        if turn in seen:
            ledger.item("E_TURN_DUP", **place, pointer=f"/turns/{index}/turn_id", turn=turn, name=name)
            odd = True
        elif turn not in known:
            ledger.item("E_TURN_UNKNOWN", **place, pointer=f"/turns/{index}/turn_id", turn=turn, name=name)
            odd = True
        seen.add(turn)
    for turn in (turn for turn in expected if turn not in seen):
        ledger.incomplete("E_TURN_MISSING", **place, pointer="/turns", turn=turn, name=name)
    if not odd and ids != sorted(ids, key=expected.index):
        ledger.item(
            "E_TURN_ORDER", **place, pointer="/turns", name=name, found=_listed(ids), expected=_listed(expected)
        )


def _listed(ids: list[int]) -> str:
    shown = ", ".join(str(turn) for turn in ids[:_SHOWN_TURNS])
    return shown + (", …" if len(ids) > _SHOWN_TURNS else "")


def _report_missing(seen: set[str], part: Part, challenge: Challenge, ledger: Ledger) -> None:
    for name in _required_ids(part, challenge):
        if name not in seen:
            ledger.incomplete("E_ID_MISSING", file=part.jsonl, name=quoted(name))


def _required_ids(part: Part, challenge: Challenge) -> Iterator[str]:
    for name in sorted(part.dialogues or ()):
        if not challenge.excluded(part.layout.id, part.task.id, name):
            yield name
