"""Made-up ids, ids as the organisers write them, a task that was not asked."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

UNKNOWN = """
with open(target / "zh/task2.jsonl", "a") as out:
    for name in ("0" * 16, "task2_9_zh_0001_0001"):
        out.write(json.dumps({"dialogue_id": name, "turns": []}) + "\\n")
shutil.copyfile(target / "zh/task2.jsonl", target / "zh/task9.jsonl")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "unknown", UNKNOWN)
