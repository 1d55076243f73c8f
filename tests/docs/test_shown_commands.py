"""Every command that a page shows is executed, page by page, in a folder that holds what the page says it needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from elsewhere import faults
from shown import DOCS, Block, Mark, blocks, execute, needs, pages, steps

NEED_MARKS = {"engine": pytest.mark.engine, "judge": pytest.mark.judge}
# Several servers, Slurm, GPUs, weights of 60 GB.
CANNOT_RUN_HERE = {"cluster.md", "judge.md", "scoring.md"}
TRIED = [page for page in pages() if any(block.mark is None for block in blocks(page))]


def _parameter(page: Path) -> object:
    marks = [mark for name, mark in NEED_MARKS.items() if name in needs(page)]
    return pytest.param(page, marks=marks, id=str(page.relative_to(DOCS)))


@pytest.mark.parametrize("page", [_parameter(page) for page in TRIED])
def test_the_commands_of_a_page_do_what_it_says(page: Path, reader, given) -> None:
    folder, environment = reader
    for name in needs(page):
        given[name](folder, environment)
    if "DOCKER_HOST" in os.environ:
        environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    for block in blocks(page):
        if block.mark is None:
            execute(block, folder, environment)


def test_a_page_that_shows_something_else_is_noticed(reader) -> None:
    folder, environment = reader

    def shown(text: str) -> Block:
        return Block(DOCS / "index.md", 1, "console", text)

    execute(shown("$ echo one; echo two \\\n  three\none\n…\n$ false\n(exit 1)"), folder, environment)
    with pytest.raises(AssertionError, match="the page shows"):
        execute(shown("$ echo one\ntwo"), folder, environment)
    with pytest.raises(AssertionError, match="exit 1, the page says 0"):
        execute(shown("$ false"), folder, environment)


def test_what_is_not_executed_where_it_stands_is_executed_elsewhere_or_cannot_be() -> None:
    everything = [block for page in pages() for block in blocks(page)]
    assert sum(len(steps(block)) for block in everything) > 0
    assert [fault for block in everything for fault in faults(block)] == []
    assert {block.page.name for block in everything if block.mark and block.mark.how == "checked"} == CANNOT_RUN_HERE


def test_a_mark_that_is_not_true_is_noticed() -> None:
    def told(text: str, how: str, where: str = "why it cannot run here") -> str:
        return "; ".join(faults(Block(DOCS / "index.md", 1, "bash", text, Mark(how, where))))

    assert told("humdial doctor", "run on", "how-to/organisers.md") == ""
    assert "no such command is executed" in told("humdial doctor --bare", "run on", "how-to/organisers.md")
    assert "no page" in told("humdial doctor", "run on", "how-to/nothing.md")
    assert "does not take this block" in told("humdial clean", "run by", "tests/sandbox/test_doctor.py::humdial")
    assert "there is no" in told("humdial clean", "run by", "tests/sandbox/test_doctor.py::test_nothing")
    assert told("humdial score SUB --references DIR --out OUT --judge qwen3-omni  # so", "checked") == ""
    for wrong, word in (
        ("humdial scores SUB", "No such command"),
        ("humdial score SUB --reference-folder DIR", "No such option"),
        ("humdial score SUB --references DIR", "missing: --out"),
        ("humdial score --references DIR --out OUT", "missing: SUBMISSION"),
        ("humdial score A B --references DIR --out OUT", "too many"),
        ("humdial score A --references DIR --out OUT --policy kind", "is not one of"),
        ("humdial judge bild small", "No such command"),
        ("srun -w a ray start --heads &", "No such option"),
        ("if true", "bash"),
        ("#!/bin/bash\n#SBATCH --nodez=4\nhumdial doctor", "--nodez"),
        ("python calibration/bands.py small --quick", "has no --quick"),
        ("python calibration/none.py", "there is no calibration/none.py"),
        ("reboot now", "nothing in it can be checked"),
    ):
        assert word in told(wrong, "checked"), wrong
