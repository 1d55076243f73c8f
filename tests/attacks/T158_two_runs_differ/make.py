"""An image that answers at random: every file of a record has its hash, so the difference shows."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import image_of, limits_of, seen_of, try_image
from programs import program

BODY = """
path = target / "zh/task2.jsonl"
path.write_text(path.read_text().replace("你今天一定很不容易", "听起来你今天很累" if os.urandom(8) else "") + "")
row = json.loads(path.read_text())
row["turns"][0]["response_text"] += "我在这里。" * (1 + os.urandom(2)[0])
path.write_text(json.dumps(row) + "\\n")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "random", BODY)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    image = image_of(box.subjects / "random.py", request.getfixturevalue("build_image"))
    seen = {}
    for number in range(4):
        done = try_image(box, image, box.out / str(number), limits_of(box), "--seed", "same")
        seen[str(number)] = seen_of(box.out / str(number), done.exit)
    hashes = [{each["path"]: each["sha256"] for each in found.document["outputs"]} for found in seen.values()]
    assert len({each["zh/task2.jsonl"] for each in hashes}) > 1
    assert len({each["zh/task3.jsonl"] for each in hashes}) == 1
    return seen
