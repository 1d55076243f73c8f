"""An image that answers at random: every file of a record has its hash, so the difference shows and is said."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES, image_of, limits_of, seen_of, try_image
from programs import program

from harness.documents.codec import from_plain
from harness.documents.run_record import RunRecord
from harness.evaluation.likeness import differing_runs

BODY = """
path = target / "zh/task2.jsonl"
row = json.loads(path.read_text())
row["turns"][0]["response_text"] += os.urandom(8).hex()
path.write_text(json.dumps(row) + "\\n")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "random", BODY)
    program(subjects, "same", "")


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    seen = {}
    for subject, runtime in zip(sorted(box.subjects.iterdir()), RUNTIMES, strict=True):
        image, records = image_of(subject, request.getfixturevalue("build_image")), []
        for number in range(2):
            out = box.out / f"{subject.stem}-{number}"
            done = try_image(box, image, out, limits_of(box), "--seed", "same", "--runtime", runtime)
            assert seen_of(out, done.exit).document["finished"]
            records.append(from_plain(RunRecord, json.loads((out / "run.json").read_bytes())))
        flags = differing_runs("alpha", {image: records})
        assert all((flag.count, flag.teams) == (1, ("alpha",)) for flag in flags)
        codes = frozenset(flag.code for flag in flags)
        seen[subject.stem] = Seen("WARN" if codes else "CONTAIN", codes, {})
    return seen
