"""Dialogue JSONL to the fine-tuning rows of the two baselines: pure functions on one dialogue.

The published converters lose turns, repeat the last one or write the user's words for the reply. Here every turn is in
the row once, in order, and a dialogue that lacks something stops the conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError

# A reply's WAV (its path as it stands in the data) to the numbers of its speech tokens.
Tokenizer = Callable[[str], Sequence[int]]
_ALIASES = {"split_audio_file": "input_audio", "response_text": "response_txt"}


@dataclass(frozen=True, slots=True)
class TrainingTurn:
    """``user_audio`` and ``reply_audio`` are paths as they stand in the data; ``reply_audio`` is None where only the
    reply's text is given, as in the training set."""

    user_audio: str
    reply: str
    reply_audio: str | None


@dataclass(frozen=True, slots=True)
class TrainingDialogue:
    id: str
    turns: tuple[TrainingTurn, ...]


def training_dialogue(plain: Any, place: str) -> TrainingDialogue:
    """One line of the data. ``place`` names it in errors. Raises UsageError (E_DOCUMENT) for what lacks a user's audio
    or a reply's text, or whose turns are not 1, 2, 3 …"""
    rows = plain.get("turns") if isinstance(plain, dict) else None
    if not isinstance(rows, list) or not rows or not isinstance(plain.get("dialogue_id"), str):
        raise _unfit(place, "it has no dialogue_id or no turns")
    turns = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or row.get("turn_id") != number or isinstance(row["turn_id"], bool):
            raise _unfit(place, f"turn {number} is not in its place")
        audio, reply = (_text(row, name) for name in _ALIASES)
        if not audio or not reply:
            raise _unfit(place, f"turn {number} has no {'split_audio_file' if not audio else 'response_text'}")
        turns.append(TrainingTurn(audio, reply, _text(row, "response_audio") or None))
    return TrainingDialogue(plain["dialogue_id"], tuple(turns))


def _text(row: dict[str, Any], name: str) -> str:
    """The value of a key or, where that is empty, of its other name."""
    found = row.get(_ALIASES.get(name, name)) or row.get(name)
    return found if isinstance(found, str) else ""


def _unfit(place: str, why: str) -> UsageError:
    return UsageError(f"{place}: {why}", code="E_DOCUMENT", hint="`humdial validate --layout data` checks such data")


def opens2s_row(dialogue: TrainingDialogue, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """OpenS2S: one key ``messages``, user and assistant in turn; all four strings are always there."""
    messages = []
    for turn in dialogue.turns:
        units = "".join(f"<|audio_{unit}|>" for unit in _units(turn, tokenizer) or ())
        messages.append({"role": "user", "content": [_content(audio=turn.user_audio)]})
        messages.append({"role": "assistant", "content": [_content(text=turn.reply, speech_units=units)]})
    return {"messages": messages}


def _content(*, text: str = "", audio: str = "", speech_units: str = "") -> dict[str, str]:
    return {"text": text, "audio": audio, "speech_units": speech_units, "spk_emb": ""}


def osum_row(dialogue: TrainingDialogue, tokenizer: Tokenizer | None, history: int | None = None) -> dict[str, Any]:
    """OSUM-EChat: ``wav`` and ``txt`` are the last turn's, ``wav_1``, ``txt_1`` … the earlier ones from the oldest on;
    ``extra.speech_token`` likewise, where there are tokens. ``history``: only so many of the latest earlier turns."""
    *earlier, last = dialogue.turns
    if history is not None:
        earlier = earlier[max(0, len(earlier) - history) :]
    row: dict[str, Any] = {"key": dialogue.id, "wav": last.user_audio, "txt": last.reply}
    for number, turn in enumerate(earlier, start=1):
        row |= {f"wav_{number}": turn.user_audio, f"txt_{number}": turn.reply}
    named = {"speech_token": last, **{f"speech_token_{n}": turn for n, turn in enumerate(earlier, start=1)}}
    tokens = {name: _units(turn, tokenizer) for name, turn in named.items()}
    row["extra"] = {name: units for name, units in tokens.items() if units is not None}
    row["task"] = "<S2TCHAT> <TEXT2TOKEN>" + (" <HISTORY>" if earlier else "")
    return row


def _units(turn: TrainingTurn, tokenizer: Tokenizer | None) -> list[int] | None:
    return (
        None if tokenizer is None or turn.reply_audio is None else [int(unit) for unit in tokenizer(turn.reply_audio)]
    )
