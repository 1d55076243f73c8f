"""The judge's command line where no engine is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import to_plain
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_contents import application_layer
from harness.evaluation.judge_image import JudgeLock, base_tar, ensure_judge, show_judge, verify_judge
from harness.judge.engines import load_engine
from harness.resources import schema_path

CHALLENGE = load_challenge()
SMALL = CHALLENGE.judges["small"]


def test_a_judge_that_was_never_built_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    for ask in (lambda: show_judge(CHALLENGE, SMALL), lambda: verify_judge("small")):
        with pytest.raises(UsageError) as caught:
            ask()
        assert caught.value.code == "E_JUDGE_MISSING"
    with pytest.raises(MachineError) as failed:
        base_tar()
    assert failed.value.code == "I_JUDGE_BUILD"


def test_a_profile_whose_weights_are_not_there_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    with pytest.raises(MachineError, match="not there") as caught:
        ensure_judge(CHALLENGE, CHALLENGE.judges["qwen3-omni"])
    assert caught.value.code == "E_WEIGHTS"
    with pytest.raises(UsageError, match="cannot be built here") as refused:
        ensure_judge(CHALLENGE, replace(CHALLENGE.judges["qwen3-omni"], engine="abacus"))
    assert refused.value.code == "E_CONFIG"


def test_an_engine_that_the_image_lacks_is_named() -> None:
    with pytest.raises(UsageError, match="no engine 'abacus'"):
        load_engine({"engine": "abacus"}, Path(), Path())


def test_the_fingerprint_changes_with_everything_that_may_change_a_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    folder = tmp_path / "judge" / "small"
    folder.mkdir(parents=True)

    def fingerprint(lock: JudgeLock, **changes: object) -> str:
        (folder / "lock.json").write_text(json.dumps(to_plain(lock)))
        return show_judge(CHALLENGE, replace(SMALL, **changes)).fingerprint

    lock = JudgeLock(
        1, "small", "sha256:" + "1" * 64, "sha256:" + "2" * 64, "sha256:" + "3" * 64, {"m": "sha256:" + "4" * 64}
    )
    jsonschema_rs.validate(json.loads(schema_path("judge-lock").read_text("utf-8")), to_plain(lock))
    first = fingerprint(lock)
    assert fingerprint(lock) == first
    others = [
        fingerprint(replace(lock, image_id="sha256:" + "5" * 64)),
        fingerprint(replace(lock, weights={"m": "sha256:" + "6" * 64})),
        fingerprint(lock, settings={}),
        fingerprint(lock, model="another"),
    ]
    assert len({first, *others}) == 5


def test_both_decodings_of_record_are_in_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official = CHALLENGE.judges["qwen3-omni"]
    decoding = official.settings["decoding"]
    # As the published scripts sample, and greedy on the forced skeleton.
    sampled = {"method": "sample", "temperature": 0.6, "top_p": 0.95, "top_k": 20, "max_tokens": 16384}
    assert decoding == {"published": sampled, "strict": {"method": "skeleton", "max_tokens": 1024}}
    assert official.settings["samples"] == 1
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    folder = tmp_path / "judge" / "qwen3-omni"
    folder.mkdir(parents=True)
    lock = JudgeLock(1, "qwen3-omni", *("sha256:" + str(n) * 64 for n in (1, 2, 3)), {"m": "sha256:" + "4" * 64})
    (folder / "lock.json").write_text(json.dumps(to_plain(lock)))
    first = show_judge(CHALLENGE, official)
    assert first.fingerprint_inputs["settings"]["decoding"] == decoding
    for policy, change in (("published", {"temperature": 0.7}), ("strict", {"method": "expected"})):
        changed = {**decoding, policy: {**decoding[policy], **change}}
        other = replace(official, settings={**official.settings, "decoding": changed})
        assert show_judge(CHALLENGE, other).fingerprint != first.fingerprint


def test_the_image_holds_what_the_worker_imports_and_no_spec() -> None:
    names = set(application_layer("/opt/judge/app").entries)
    assert {"opt/judge/app/harness/judge/worker.py", "opt/judge/app/prompts/task2/v1.md"} <= names
    assert not any("specs" in name or "__pycache__" in name or "submission" in name for name in names)


def test_what_the_image_holds_of_the_harness_is_enough_for_its_worker(tmp_path: Path) -> None:
    """A module that the worker has come to need and that the image lacks is seen here, without building it."""
    for name, entry in application_layer("app").entries.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(entry.source, Path)
        target.write_bytes(entry.source.read_bytes())
    program = "import harness, harness.judge.worker as w; print(harness.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "app", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
