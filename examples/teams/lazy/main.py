"""The lazy team: the same few short replies whatever was said, and the same clip for every reply.

It listens to nothing. Chinese questions of tasks 2 and 3 are answered in English; one WAV is left out, one is silent.
"""

from __future__ import annotations

import json
import os
import shutil
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPLIES = {
    "en": (
        "I see.",
        "I see, thank you for telling me that.",
        "Okay, that sounds like a lot.",
        "Oh well, these things happen.",
    ),
    "zh": ("嗯。", "好的，我知道了。", "这样啊，听起来是这样。", "没事的，都会过去的。"),
}
SPOKEN_TASKS = ("task4",)
ANSWERED_IN_ENGLISH = ("task2", "task3")
LEFT_OUT = (0, 1)
SILENT = (1, 1)
"""Which dialogue of a task, which of its turns, counted from 0; in English only."""


def reply(task: str, language: str, number: int, turn: int) -> str:
    """A constant text: it depends on where the turn stands, never on what was said."""
    choices = REPLIES["en" if task in ANSWERED_IN_ENGLISH else language]
    return choices[(number + turn) % len(choices)]


def put_audio(language: str, place: tuple[int, int], target: Path) -> None:
    """The one clip; but nothing, or a second of silence, at two places."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if language == "en" and place == LEFT_OUT:
        return
    if language == "en" and place == SILENT:
        with wave.open(str(target), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16000)
            out.writeframes(bytes(2 * 16000))
        return
    shutil.copyfile(HERE / f"clip-{language}.wav", target)


def main() -> None:
    source, target = Path(os.environ["HUMDIAL_INPUT"]), Path(os.environ["HUMDIAL_OUTPUT"])
    for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
        for task in os.environ["HUMDIAL_TASKS"].split(","):
            lines = []
            rows = (source / language / f"{task}.jsonl").read_text("utf-8").splitlines()
            for number, row in enumerate(map(json.loads, rows)):
                turns = []
                for place, turn in enumerate(row["turns"]):
                    turns.append({"turn_id": turn["turn_id"], "response_text": reply(task, language, number, place)})
                    if task in SPOKEN_TASKS:
                        name = f"{task}/{row['dialogue_id']}_{turn['turn_id']}_response.wav"
                        put_audio(language, (number, place), target / language / name)
                lines.append(json.dumps({"dialogue_id": row["dialogue_id"], "turns": turns}, ensure_ascii=False) + "\n")
            (target / language).mkdir(parents=True, exist_ok=True)
            (target / language / f"{task}.jsonl").write_text("".join(lines), "utf-8")
    print("done")


if __name__ == "__main__":
    main()
