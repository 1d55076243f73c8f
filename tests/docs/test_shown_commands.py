"""Every command that a page shows is executed, page by page, in a folder that holds what the page says it needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shown import DOCS, Block, blocks, execute, needs, pages, steps

NEED_MARKS = {"engine": pytest.mark.engine, "judge": pytest.mark.judge}
TRIED = [page for page in pages() if any(block.not_run is None for block in blocks(page))]


def _parameter(page: Path) -> object:
    marks = [mark for name, mark in NEED_MARKS.items() if name in needs(page)]
    return pytest.param(page, marks=marks, id=str(page.relative_to(DOCS)))


@pytest.mark.parametrize("page", [_parameter(page) for page in TRIED])
def test_the_commands_of_a_page_do_what_it_says(page: Path, reader, given) -> None:
    folder, environment = reader
    for name in needs(page):
        given[name](folder)
    if "DOCKER_HOST" in os.environ:
        environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    for block in blocks(page):
        if block.not_run is None:
            execute(block, folder, environment)


def test_a_page_that_shows_something_else_is_noticed(reader) -> None:
    folder, environment = reader

    def shown(text: str) -> Block:
        return Block(DOCS / "index.md", 1, "console", text, None)

    execute(shown("$ echo one; echo two \\\n  three\none\n…\n$ false\n(exit 1)"), folder, environment)
    with pytest.raises(AssertionError, match="the page shows"):
        execute(shown("$ echo one\ntwo"), folder, environment)
    with pytest.raises(AssertionError, match="exit 1, the page says 0"):
        execute(shown("$ false"), folder, environment)


def test_what_is_not_executed_says_why_and_is_little() -> None:
    """The list of what nobody tries here: it should only get shorter."""
    everything = [block for page in pages() for block in blocks(page)]
    left = {block.place: block.not_run for block in everything if block.not_run is not None}
    assert all(len(reason) > 10 for reason in left.values())
    assert sum(len(steps(block)) for block in everything) > 0
    assert len(left) <= 30, left
