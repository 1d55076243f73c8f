"""A minimal participant: it listens to how long the user spoke and answers every turn with a sentence of its own.

Standard library only. Replace `reply` by a model; the rest reads /input and writes a valid /output.
"""

from __future__ import annotations

import json
import os
import wave
from pathlib import Path

import voice

HERE = Path(__file__).resolve().parent
SENTENCES = {
    "en": "I listened to you for {seconds:.1f} seconds in turn {turn}. Thank you; I would like to hear more.",
    "zh": "这是第{turn}轮，我听您说了{seconds:.1f}秒。谢谢您告诉我，我想再多听一些。",
}


def reply(language: str, turn: int, audio: Path | None) -> str:
    """The text of one reply. This is the place for a model."""
    seconds = 0.0
    if audio is not None:
        with wave.open(str(audio)) as recording:
            seconds = recording.getnframes() / recording.getframerate()
    return SENTENCES.get(language, SENTENCES["en"]).format(turn=turn, seconds=seconds)


def answer(source: Path, target: Path, language: str, task: str, facts: dict) -> int:
    """One JSONL in, one JSONL out, and a WAV a turn where speech is asked. Returns how many dialogues it answered."""
    lines = []
    for row in (source / language / f"{task}.jsonl").read_text("utf-8").splitlines():
        dialogue = json.loads(row)
        turns = []
        for turn in dialogue["turns"]:
            name = turn.get("split_audio_file")
            text = reply(language, turn["turn_id"], source / language / name if name else None)
            turns.append({"turn_id": turn["turn_id"], "response_text": text[: facts["max_chars"]]})
            if facts["tasks"].get(task, {}).get("audio"):
                file = facts["audio_name"].format(
                    name=task, dialogue_id=dialogue["dialogue_id"], turn_id=turn["turn_id"]
                )
                voice.speak(text, target / language / file, facts)
                turns[-1]["response_audio"] = file
        lines.append(json.dumps({"dialogue_id": dialogue["dialogue_id"], "turns": turns}, ensure_ascii=False) + "\n")
    (target / language).mkdir(parents=True, exist_ok=True)
    (target / language / f"{task}.jsonl").write_text("".join(lines), "utf-8")
    return len(lines)


def main() -> None:
    facts = json.loads((HERE / "challenge.json").read_text("utf-8"))
    source = Path(os.environ.get("HUMDIAL_INPUT", "/input"))
    target = Path(os.environ.get("HUMDIAL_OUTPUT", "/output"))
    languages = os.environ.get("HUMDIAL_LANGUAGES") or ",".join(facts["languages"])
    tasks = os.environ.get("HUMDIAL_TASKS") or ",".join(facts["tasks"])
    for language in languages.split(","):
        for task in tasks.split(","):
            if (source / language / f"{task}.jsonl").is_file():
                print(f"{language}/{task}: {answer(source, target, language, task, facts)} dialogues", flush=True)


if __name__ == "__main__":
    main()
