"""No attack is forgotten: the numbers of threats.toml and the folders are the same."""

from __future__ import annotations

from collections import Counter

from attack_case import HERE, cases, sections
from attack_runs import RUNTIMES


def test_every_number_has_a_folder_and_every_folder_a_number() -> None:
    listed = Counter(number for part in sections().values() for number in part["numbers"])
    assert [number for number, count in listed.items() if count > 1] == []
    assert sorted(listed) == sorted({case.number for case in cases()})


def test_every_folder_says_how_it_is_made_and_what_must_happen() -> None:
    folders = {path.name for path in HERE.iterdir() if path.name.startswith("T") and path.is_dir()}
    assert folders == {case.id for case in cases()}
    for case in cases():
        assert (case.folder / "make.py").exists(), case.id
        assert case.title
        assert case.expect


def test_whatever_starts_a_container_in_section_e_does_so_under_both_runtimes() -> None:
    started = [case for case in cases() if case.section == "E" and case.stage in ("run", "own")]
    for case in started:
        program = (case.folder / "make.py").read_text("utf-8")
        both = not set(RUNTIMES) & set(case.args) if case.stage == "run" else "RUNTIMES" in program
        assert both or case.more.get("starts_nothing") or case.more.get("of_the_machine"), case.id
