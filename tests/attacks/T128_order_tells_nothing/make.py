"""The same two hundred dialogues staged with several seeds."""

from __future__ import annotations

import json

import made
import pytest
from attack_case import Box, Seen

from harness.evaluation.run import usable_references
from harness.sandbox.staging import stage_inputs

DIALOGUES = 200


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    """Spearman's rank correlation of our order with the staged one, whose deviation is 0.07 for shuffled orders."""
    names = [f"task2_1_zh_0001_{number:04d}" for number in range(DIALOGUES)]
    turn = {"turn_id": 1, "text": "今天", "emotion": "sad", "split_audio_file": "task2/same.wav"}
    files = {"zh/task2.jsonl": made.jsonl([made.line(name, [turn]) for name in names]), "zh/task2/same.wav": made.wav()}
    source = made.write(box.root / "inputs", files)
    references = usable_references(source, made.CHALLENGE, need_labels=True)
    found, ids = {}, []
    for seed in ("one", "two", "three", "one"):
        (target := box.out / f"{seed}-{len(ids)}").mkdir()
        staged = stage_inputs(references.dialogues, source, target, made.CHALLENGE, seed)
        order = [names.index(each.dialogue_id) for each in staged.dialogues["zh", "task2"]]
        shown = [json.loads(line)["dialogue_id"] for line in (target / "zh/task2.jsonl").read_text().splitlines()]
        assert shown == [each.opaque_id for each in staged.dialogues["zh", "task2"]]
        for ranks in (order, [order[shown.index(name)] for name in sorted(shown)]):
            far = sum((rank - place) ** 2 for place, rank in enumerate(ranks))
            assert abs(1 - 6 * far / (DIALOGUES * (DIALOGUES**2 - 1))) < 0.3
        found[f"{seed}-{len(ids)}"] = Seen("CONTAIN", frozenset(), {})
        ids.append(shown)
    assert ids[0] == ids[3]
    assert len({*ids[0], *ids[1], *ids[2]}) == 3 * DIALOGUES
    return found
