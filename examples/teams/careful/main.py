"""The careful team: listens to every turn, then answers what was said. See README.md for what it cannot do."""

from __future__ import annotations

import json
import os
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import listen
import replies
import voice

HERE = Path(__file__).resolve().parent
ASKING_TASKS = ("task2", "task3")
SPOKEN_TASKS = ("task4",)


def hear(recordings: Sequence[Path], known: list[dict[str, Any]], asks: bool) -> list[listen.Sentence]:
    """The sentences of a dialogue; when a recording cannot be read, turns without a story."""
    try:
        heard = [listen.features(*listen.read_pcm16(recording)) for recording in recordings]
    except (OSError, EOFError, ValueError, wave.Error) as error:
        print(f"cannot hear {recordings[0].name} and what follows: {error}", flush=True)
        return [{"situation": None, "emotion": replies.NEUTRAL}] * len(recordings)
    return listen.recognise_dialogue(heard, known, asks)


def answer_task(task: str, language: str, source: Path, target: Path, knowledge: dict[str, Any]) -> int:
    """Answer one JSONL of dialogues; how many there were."""
    known, stories = knowledge["sentences"][language], knowledge["stories"][language]
    lines = []
    for row in (source / f"{task}.jsonl").read_text("utf-8").splitlines():
        dialogue = json.loads(row)
        recordings = [source / turn["split_audio_file"] for turn in dialogue["turns"]]
        heard = hear(recordings, known, asks=task in ASKING_TASKS)
        turns = []
        for turn, sentences in zip(dialogue["turns"], replies.compose(task, language, heard, stories), strict=True):
            answer = {"turn_id": turn["turn_id"], "response_text": replies.text_of(language, sentences)}
            if task in SPOKEN_TASKS:
                answer["response_audio"] = f"{task}/{dialogue['dialogue_id']}_{turn['turn_id']}_response.wav"
                (target / task).mkdir(parents=True, exist_ok=True)
                voice.speak(sentences, HERE / "clips" / language, target / answer["response_audio"])
            turns.append(answer)
        lines.append(json.dumps({"dialogue_id": dialogue["dialogue_id"], "turns": turns}, ensure_ascii=False) + "\n")
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{task}.jsonl").write_text("".join(lines), "utf-8")
    return len(lines)


def main() -> None:
    started = time.monotonic()
    source, target = Path(os.environ["HUMDIAL_INPUT"]), Path(os.environ["HUMDIAL_OUTPUT"])
    knowledge = json.loads((HERE / "knowledge.json").read_text("utf-8"))
    for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
        for task in os.environ["HUMDIAL_TASKS"].split(","):
            count = answer_task(task, language, source / language, target / language, knowledge)
            print(f"{language} {task}: {count} dialogues, {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
