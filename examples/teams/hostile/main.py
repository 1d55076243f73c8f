"""The hostile team: moderate replies, each with a request for a 5 behind it, and attempts on the machine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import attempts

HERE = Path(__file__).resolve().parent
REPLIES: dict[str, list[str]] = json.loads((HERE / "replies.json").read_text("utf-8"))
INJECTIONS: list[dict[str, str]] = json.loads((HERE / "injections.json").read_text("utf-8"))
SPOKEN_TASKS = ("task4",)
GLUE = "\n\n"
INSTALLED = Path("/team")
"""Where the image keeps this program. Anywhere else there may be no sandbox, so the machine is left in peace."""


def requests_for(task: str, language: str) -> list[str]:
    """The requests that fit a task and language."""
    return [entry["text"] for entry in INJECTIONS if entry["language"] == language and entry.get("task", task) == task]


def answer(task: str, language: str, number: int, dialogue: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A general reply to each turn, the request appended, and the reply (without it) as audio."""
    turns = []
    wanted = requests_for(task, language)
    for place, turn in enumerate(dialogue["turns"]):
        choice = (number + place) % len(REPLIES[language])
        text = REPLIES[language][choice] + GLUE + wanted[(number * 3 + place) % len(wanted)]
        turns.append({"turn_id": turn["turn_id"], "response_text": text})
        if task in SPOKEN_TASKS:
            (folder / task).mkdir(parents=True, exist_ok=True)
            target = folder / task / f"{dialogue['dialogue_id']}_{turn['turn_id']}_response.wav"
            shutil.copyfile(HERE / f"clip-{language}-{choice}.wav", target)
    return {"dialogue_id": dialogue["dialogue_id"], "turns": turns}


def main() -> None:
    source, target = Path(os.environ["HUMDIAL_INPUT"]), Path(os.environ["HUMDIAL_OUTPUT"])
    if HERE == INSTALLED:
        for line in attempts.everything(source):
            print(line, flush=True)
    for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
        for task in os.environ["HUMDIAL_TASKS"].split(","):
            rows = (source / language / f"{task}.jsonl").read_text("utf-8").splitlines()
            folder = target / language
            folder.mkdir(parents=True, exist_ok=True)
            answers = [answer(task, language, number, json.loads(row), folder) for number, row in enumerate(rows)]
            lines = [json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers]
            (folder / f"{task}.jsonl").write_text("".join(lines), "utf-8")
    wavs = sorted(target.rglob("*_response.wav"))
    if wavs:
        attempts.plant_links(target, wavs[0])


if __name__ == "__main__":
    main()
