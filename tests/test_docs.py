"""The documents point at things that exist, and name no command or code that does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli.main import COMMANDS
from harness.documents.codes import all_codes

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("sandbox/*.md")]
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_point_at_files(document: Path) -> None:
    text = document.read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_codes_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    commands = set(re.findall(r"^\s*(?:\$ )?humdial ([a-z]+)", text, re.MULTILINE))
    commands |= set(re.findall(r"`humdial ([a-z]+)", text))
    assert commands <= {*COMMANDS, "rescore"}, "rescore is named as missing, in the README alone"
    assert set(re.findall(r"\b[EWIFR]_[A-Z][A-Z_]+[A-Z]\b", text)) <= {*all_codes(), "E_WAV_*"}


def test_every_benchmark_is_in_the_figures() -> None:
    figures = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for benchmark in ROOT.glob("benchmarks/*.py"):
        assert f"benchmarks/{benchmark.name}" in figures
