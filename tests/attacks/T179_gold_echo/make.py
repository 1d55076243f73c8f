"""It knows the organisers' id of the dialogue that it answers, and lets it show."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

ECHO = """
path = target / "zh/task2.jsonl"
row = json.loads(path.read_text())
row["turns"][0]["response_text"] = "我记得这个 task2_3_zh_0001_0001，你很难过。"
path.write_text(json.dumps(row) + "\\n")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "echo", ECHO)
