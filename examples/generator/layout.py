"""The folders of the challenge: JSONL a task and language, WAV files beside it; with labels or without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from generator.dialogues import Dialogue
from generator.speech import Synthesiser


def write_challenge(out: Path, dialogues: Sequence[Dialogue], *, labels: bool, synthesiser: Synthesiser | None) -> None:
    """Write dialogues as `{language}/{name}.jsonl` and their audio; without labels there is no text and no emotion."""
    for (language, name), group in groupby(dialogues, key=lambda dialogue: (dialogue.language, dialogue.name)):
        members = list(group)
        write_jsonl(out / language / f"{name}.jsonl", (_row(dialogue, labels) for dialogue in members))
        if synthesiser is not None:
            _write_audio(out / language, members, synthesiser)


def _row(dialogue: Dialogue, labels: bool) -> dict[str, Any]:
    turns: list[dict[str, Any]] = []
    for turn in dialogue.turns:
        told = {"text": turn.text, "emotion": turn.emotion} if labels else {}
        turns.append({"turn_id": turn.turn_id, **told, "split_audio_file": dialogue.audio_file(turn)})
    return {"dialogue_id": dialogue.dialogue_id, "turns": turns}


def _write_audio(folder: Path, dialogues: Sequence[Dialogue], synthesiser: Synthesiser) -> None:
    synthesiser.speak_all(turn.utterance for dialogue in dialogues for turn in dialogue.turns)
    for dialogue in dialogues:
        for turn in dialogue.turns:
            target = folder / dialogue.audio_file(turn)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(synthesiser.path(turn.utterance), target)


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line, UTF-8, LF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, "utf-8", newline="\n")
