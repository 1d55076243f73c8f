"""Weights that are not whole, or not those that are meant, and locks that differ have a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import pretty_json, to_plain
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_image import use_weights
from harness.evaluation.judge_lock import (
    JudgeLock,
    check_weights,
    engine_versions,
    folder_digests,
    lock_differences,
    reference_differences,
)
from harness.judge import prompt_digests

PROFILE = load_challenge().judges["qwen3-omni"]


def checkpoint(folder: Path) -> Path:
    """Two tiny shards and the files beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        (folder / name).write_text("{}")
    for number in (1, 2):
        header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
        data = len(header).to_bytes(8, "little") + header + bytes(16)
        (folder / f"model-{number}.safetensors").write_bytes(data)
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    return folder


def cut(folder: Path) -> None:
    path = folder / "model-2.safetensors"
    path.write_bytes(path.read_bytes()[:-3])


def garbage(folder: Path) -> None:
    (folder / "model-2.safetensors").write_bytes(b"\xff" * 64)


def test_a_whole_checkpoint_is_taken(tmp_path: Path) -> None:
    check_weights(checkpoint(tmp_path / "any"), PROFILE)
    check_weights(checkpoint(tmp_path / PROFILE.settings["revision"]), PROFILE)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "its header says"),
        (garbage, "no whole safetensors"),
        (lambda folder: (folder / "model-1.safetensors").unlink(), "lack model-1"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "lack preprocessor_config"),
        (lambda folder: [path.unlink() for path in folder.glob("model*")], "no model.safetensors"),
    ],
)
def test_a_damaged_checkpoint_is_named(damage: Callable[[Path], object], why: str, tmp_path: Path) -> None:
    damage(checkpoint(tmp_path / "weights"))
    with pytest.raises(MachineError, match=why) as caught:
        check_weights(tmp_path / "weights", PROFILE)
    assert caught.value.code == "E_WEIGHTS"


def test_another_revision_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="of revision aaaa"):
        check_weights(checkpoint(tmp_path / ("a" * 40)), PROFILE)
    with pytest.raises(MachineError, match="not there"):
        check_weights(tmp_path / "gone", PROFILE)


def test_weights_are_taken_by_reference_and_only_where_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path / "cache"))
    mine = checkpoint(tmp_path / "mine")
    use_weights(PROFILE, mine)
    assert (tmp_path / "cache" / "judge" / "qwen3-omni" / "weights").resolve() == mine.resolve()
    with pytest.raises(UsageError) as caught:
        use_weights(load_challenge().judges["small"], mine)
    assert caught.value.code == "E_CONFIG"


def lock() -> JudgeLock:
    return JudgeLock(
        schema_version=1,
        profile="qwen3-omni",
        inputs="sha256:1",
        image_id="sha256:2",
        base="sha256:3",
        weights={"config.json": "sha256:4"},
        versions=engine_versions(),
        prompts=prompt_digests(),
        settings=PROFILE.settings,
    )


def test_a_lock_holds_what_can_move_a_mark_and_says_what_differs() -> None:
    assert {"torch", "transformers", "tokenizers", "xgrammar"} <= engine_versions().keys()
    assert lock_differences(lock(), PROFILE) == []
    other = replace(PROFILE, settings={**PROFILE.settings, "rows": 9})
    assert lock_differences(lock(), other) == ["the setting rows is 9, the lock says 16"]
    stale = replace(lock(), prompts={}, versions={**engine_versions(), "torch": "1"})
    assert any("prompt task2/v1.md" in line for line in lock_differences(stale, PROFILE))
    assert any(line.endswith("the lock says 1") for line in lock_differences(stale, PROFILE))


def test_a_judge_must_be_the_organisers(tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_bytes(pretty_json(to_plain(lock())))
    assert reference_differences(lock(), tmp_path / "lock.json") == []
    other = replace(lock(), weights={"config.json": "sha256:5"})
    assert reference_differences(other, tmp_path / "lock.json") == ["weights differs from lock.json"]


def test_the_digest_of_a_folder_is_by_name(tmp_path: Path) -> None:
    found = folder_digests(checkpoint(tmp_path / "w"))
    assert list(found) == sorted(found)
    assert found["model-1.safetensors"] == found["model-2.safetensors"]
