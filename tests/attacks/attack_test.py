"""Every attack of the folders beside this file, against the real command: the test that each section's file runs.

A file for each section, so that `--dist loadfile` gives them to several workers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import attack_runs  # registers its stages, like attack_validate
import attack_validate
import pytest
from attack_case import Box, Case, cases, sections
from attack_stages import STAGES


def _marked(case: Case) -> object:
    marks = {*case.marks, *(["engine"] if case.stage in attack_runs.ON_THE_ENGINE else [])}
    return pytest.param(case, id=case.id, marks=[getattr(pytest.mark, name) for name in sorted(marks)])


def attacks_of(*letters: str) -> Callable[..., None]:
    """A test function that runs the attacks of these sections."""
    numbers = {number for letter in letters for number in sections()[letter]["numbers"]}

    @pytest.mark.parametrize("case", [_marked(case) for case in cases() if case.number in numbers])
    def test_attack(
        case: Case, tmp_path: Path, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
    ) -> None:
        _run(case, tmp_path, request, record_property)

    return test_attack


def _run(
    case: Case, tmp_path: Path, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", case.id)
    record_property("section", case.section)
    outcome = attack_validate.together(case, request)
    if outcome is None:
        box = Box.new(tmp_path)
        with attack_validate.made_subjects(case, box):
            outcome = STAGES[case.stage](case, box, request)
    seen, runs = outcome
    record_property("subjects", len(seen))
    for name in ("wall_s", "cpu_s", "peak_mb"):
        record_property(name, max((getattr(run, name) for run in runs), default=0.0))
    used = set()
    for subject, found in seen.items():
        expected = case.expected(subject)
        used.add(id(expected))
        assert (found.outcome, sorted(found.codes)) == (expected.outcome, sorted(expected.codes)), (
            subject,
            found.document.get("log", "")[-1500:],
        )
        for name, value in expected.more.items():
            assert found.document[name] == value, (subject, name)
    assert used == {id(each) for each in case.expect.values()}, "a pattern of expect.toml fits no subject"
    for kept in tmp_path.iterdir():
        shutil.rmtree(kept)
