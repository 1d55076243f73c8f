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
from attack_case import Box, Case, cases
from attack_stages import STAGES


def _on_engine(case: Case) -> bool:
    return case.stage in attack_runs.ON_THE_ENGINE


def _marked(case: Case) -> object:
    marks = {*case.marks, *(["engine"] if _on_engine(case) else [])}
    return pytest.param(case, id=case.id, marks=[getattr(pytest.mark, name) for name in sorted(marks)])


def attacks_of(*letters: str, on_engine: bool = False) -> Callable[..., None]:
    """A test function that runs the attacks of these sections: those that need the container engine, or the others."""
    mine = [case for case in cases() if case.section in letters and _on_engine(case) == on_engine]

    @pytest.mark.parametrize("case", [_marked(case) for case in mine])
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
    shutil.rmtree(tmp_path)
