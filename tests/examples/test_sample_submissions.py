"""The sample's folder submissions meet the validator: one is clean, the other meets each code it was made for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generator.broken import MISTAKES

from harness.documents.codes import all_codes

Build = Callable[..., subprocess.CompletedProcess[str]]


def validate(folder: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit code and report of `humdial validate`."""
    command = [sys.executable, "-m", "harness", "validate", str(folder), *map(str, arguments), "-f", "json"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode in {0, 1}, result.stderr
    return result.returncode, json.loads(result.stdout)


@pytest.fixture(scope="module")
def mistakes(sample: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((sample / "submissions" / "broken.expected.json").read_text("utf-8"))
    return found


def test_the_correct_submission_is_valid_without_a_finding(sample: Path) -> None:
    exit_code, report = validate(sample / "submissions" / "paper", "--inputs", sample / "inputs")
    assert report["findings"] == []
    assert (exit_code, report["valid"], report["checked"]["dialogues"]) == (0, True, 24)


def test_the_broken_submission_meets_every_code_at_its_place(sample: Path, mistakes: list[dict[str, Any]]) -> None:
    exit_code, report = validate(sample / "submissions" / "broken", "--inputs", sample / "inputs")
    assert (exit_code, report["valid"]) == (1, False)
    found = {(each["code"], each["file"], each["line"]) for each in report["findings"]}
    missed = [each for each in mistakes if (each["code"], each["file"], each["line"]) not in found]
    assert missed == [], sorted(found, key=str)


def test_nothing_is_wrong_in_the_broken_submission_but_what_was_broken(
    sample: Path, mistakes: list[dict[str, Any]]
) -> None:
    _, report = validate(sample / "submissions" / "broken", "--inputs", sample / "inputs")
    # A line that cannot be read is also a dialogue that is missing.
    known = {each["code"] for each in mistakes} | {"E_ID_MISSING"}
    assert {each["code"] for each in report["findings"]} == known


def test_every_mistake_is_a_different_one_with_a_code_of_the_list(mistakes: list[dict[str, Any]]) -> None:
    codes = [each["code"] for each in mistakes]
    assert len(codes) == len(set(codes)) == len(MISTAKES)
    assert set(codes) <= set(all_codes())


def test_a_release_submission_is_valid_too(tmp_path: Path, speech_cache: Path, build: Build) -> None:
    arguments = ("--seed", "4", "--dialogues-per-task", "1", "--layout", "release")
    build("data", "--out", tmp_path / "inputs", *arguments, "--no-audio")
    build("submission", "--out", tmp_path / "handed-in", *arguments, "--cache", speech_cache)
    exit_code, report = validate(tmp_path / "handed-in" / "HD-Track1", "--layout", "release")
    assert (exit_code, report["valid"], report["checked"]["dialogues"]) == (0, True, 6)
