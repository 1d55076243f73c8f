"""What the system said: canonical text, floors, and which WAV belongs to each turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.challenge.evaluated_turn import aliased, evaluated_index
from harness.challenge.spec import LABEL_FIELDS, Challenge
from harness.challenge.text_rules import is_empty, text_fault
from harness.documents.reference import ReferenceDialogue
from harness.submission.ledger import Ledger
from harness.submission.readers.paths import is_safe_reference
from harness.submission.readers.refusal import quoted
from harness.submission.reply_text import canonical_text
from harness.submission.rules.dialogues import RawDialogue
from harness.submission.settings import Part

_FLOORS = {"too_short": "I_TOOSHORT", "echo": "I_ECHO", "language_mismatch": "I_LANGUAGE"}


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn's reply before its audio was looked at. ``wav`` is the path of the naming rule, None where none is
    asked for."""

    turn_id: int
    text: str | None
    flags: tuple[str, ...]
    wav: str | None
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RepliedDialogue:
    """All replies of one dialogue in the order of the inputs."""

    part: Part
    dialogue_id: str
    replies: tuple[Reply, ...]


def read_replies(
    dialogues: Sequence[RawDialogue], part: Part, challenge: Challenge, ledger: Ledger
) -> list[RepliedDialogue]:
    """The replies of one JSONL. Reports E_TEXT_*, W_TEXT_*, I_*, E_PATH, E_AUDIO_SHARED and, once, W_AUDIO_PATH."""
    paths = _AudioPaths(part, ledger)
    found = []
    for dialogue in dialogues:
        if challenge.excluded(part.layout.id, part.task.id, dialogue.dialogue_id):
            continue
        found.append(_Dialogue(dialogue, part, challenge, ledger, paths).read())
    paths.finish()
    return found


class _Dialogue:
    """Reads one dialogue's turns."""

    def __init__(self, raw: RawDialogue, part: Part, challenge: Challenge, ledger: Ledger, paths: _AudioPaths) -> None:
        self._raw, self._part, self._challenge, self._ledger, self._paths = raw, part, challenge, ledger, paths
        self._place: dict[str, Any] = {"file": part.jsonl, "line": raw.line}
        self._reference: ReferenceDialogue | None = (part.dialogues or {}).get(raw.dialogue_id)
        self._marked, self._marked_for_sure = self._marked_turn()

    def _marked_turn(self) -> tuple[int, bool]:
        """The turn that is marked, and whether that is known: without labels it may be any, at the latest the last."""
        reference, task = self._reference, self._part.task
        last: int = max(turn["turn_id"] for _, turn in self._raw.turns)
        if reference is None or not reference.turns:
            return last, task.evaluated_turn == "last"
        emotions = [turn.emotion for turn in reference.turns]
        if task.evaluated_turn != "last" and not all(emotions):
            return reference.turns[-1].turn_id, False
        index = evaluated_index(emotions, task.evaluated_turn, self._challenge.neutral_emotion)
        return reference.turns[-1 if index is None else index].turn_id, index is not None

    def read(self) -> RepliedDialogue:
        replies: dict[int, Reply] = {}
        twice: set[int] = set()
        for place, turn in self._raw.turns:
            turn_id = turn["turn_id"]
            if turn_id in replies:
                twice.add(turn_id)
            replies[turn_id] = self._reply(place, turn)
        for turn_id in twice:  # which of the two counts is not for us to choose
            replies[turn_id] = Reply(turn_id, None, (), replies[turn_id].wav)
        for turn_id in self._expected_turns():
            if turn_id not in replies and self._wants_audio(turn_id):
                replies[turn_id] = Reply(turn_id, None, (), self._wav(turn_id))
        known = self._expected_turns() or sorted(replies)
        return RepliedDialogue(
            self._part,
            self._raw.dialogue_id,
            tuple(replies[turn_id] for turn_id in known if turn_id in replies),
        )

    def _expected_turns(self) -> list[int]:
        return [turn.turn_id for turn in self._reference.turns] if self._reference else []

    def _reply(self, place: int, turn: dict[str, Any]) -> Reply:
        turn_id: int = turn["turn_id"]
        pointer = f"/turns/{place}"
        wav = self._wav(turn_id) if self._wants_audio(turn_id) else None
        if named := turn.get("response_audio"):
            self._paths.look(named, self._wav(turn_id), self._raw.line, f"{pointer}/response_audio")
        text, flags = self._text(turn, turn_id, pointer) if self._part.wants_text else (None, ())
        labels = tuple((name, turn[name]) for name in LABEL_FIELDS if name in turn) if self._part.wants_labels else ()
        return Reply(turn_id, text, flags, wav, labels)

    def _wants_audio(self, turn_id: int) -> bool:
        wanted = self._part.task.audio_required
        return wanted == "all" or (wanted == "evaluated" and self._marked_for_sure and turn_id == self._marked)

    def _wav(self, turn_id: int) -> str:
        part = self._part
        return part.layout.audio_path(part.language, part.task.id, self._raw.dialogue_id, turn_id)

    def _text(self, turn: dict[str, Any], turn_id: int, pointer: str) -> tuple[str | None, tuple[str, ...]]:
        place = self._place
        if "response_text" not in turn and "response_txt" not in turn:
            self._ledger.item(
                "E_SCHEMA_MISSING", **place, pointer=pointer, name="'response_text'", schema="dialogue-line"
            )
            return None, ()
        key = "response_txt" if turn.get("response_txt") else "response_text"
        raw: str = aliased(turn, "response_text", "response_txt") or ""
        canonical = canonical_text(raw, self._challenge.text)
        usable = True
        for problem in canonical.problems:
            usable &= not problem.code.startswith("E_")
            self._ledger.refuse_item(problem, **place, pointer=f"{pointer}/{key}")
        if not usable:
            return None, canonical.flags
        self._report_floor(canonical.text, turn_id, f"{pointer}/{key}")
        return canonical.text, canonical.flags

    def _report_floor(self, text: str, turn_id: int, pointer: str) -> None:
        name, place = quoted(self._raw.dialogue_id), {**self._place, "pointer": pointer}
        if is_empty(text):
            inside = turn_id < self._marked and not self._ledger.from_image and not text.strip()
            self._ledger.add("E_TEXT_EMPTY" if inside else "I_EMPTY", **place, turn=turn_id, name=name)
            return
        # Which turn is marked may be private; only where the rule itself says so is it singled out.
        if self._part.task.evaluated_turn == "last" and turn_id != self._marked:
            return
        user = next((t.text for t in self._reference.turns if t.turn_id == turn_id), "") if self._reference else ""
        fault = text_fault(text, user, self._part.language, self._challenge.text)
        if fault in _FLOORS:
            self._ledger.add(_FLOORS[fault], **place, turn=turn_id, name=name, language=self._part.language)


class _AudioPaths:
    """The response_audio fields of one JSONL: safe, each of its own, and as the naming rule says."""

    def __init__(self, part: Part, ledger: Ledger) -> None:
        self._part, self._ledger = part, ledger
        self._first: dict[str, int] = {}
        self._different: list[tuple[str, str]] = []

    def look(self, value: str, expected: str, line: int, pointer: str) -> None:
        place: dict[str, Any] = {"file": self._part.jsonl, "line": line, "pointer": pointer}
        if not is_safe_reference(value):
            self._ledger.item("E_PATH", **place, name=quoted(value))
            return
        if self._part.task.audio_required == "none":
            return
        if value in self._first:
            self._ledger.item("E_AUDIO_SHARED", **place, name=quoted(value), first=self._first[value])
        self._first.setdefault(value, line)
        if not f"/{expected}".endswith("/" + value.removeprefix("./")):
            self._different.append((value, expected))

    def finish(self) -> None:
        if self._different:
            value, expected = self._different[0]
            self._ledger.add(
                "W_AUDIO_PATH",
                file=self._part.jsonl,
                count=len(self._different),
                name=quoted(value),
                expected=quoted(expected),
            )
