"""The documents point at things that exist, and name no command or code that does not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from shown import blocks, hidden_commands, needs, pages

from harness.cli.main import COMMANDS
from harness.documents.codes import all_codes

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("sandbox/*.md")]
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_point_at_files(document: Path) -> None:
    text = document.read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\n]+)(?:#[^)]*)?\)", text) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_codes_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    commands = set(re.findall(r"^\s*(?:\$ )?humdial ([a-z]+)", text, re.MULTILINE))
    commands |= set(re.findall(r"`humdial ([a-z]+)", text))
    assert commands <= {*COMMANDS}
    assert set(re.findall(r"\b[EWIFR]_[A-Z][A-Z_]+[A-Z]\b", text)) <= {*all_codes(), "E_WAV_*"}


def test_the_threat_model_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "threat-model.md").read_text("utf-8")
    files = {path.name: path for path in ROOT.glob("tests/**/test_*.py")}
    named = set(re.findall(r"[\w/]*test_\w+\.py", text))
    assert len(named) > 10
    for name in named:
        assert name.rpartition("/")[2] in files and ("/" not in name or (ROOT / name).is_file()), name
    attacks = {path.name[:4] for path in (ROOT / "tests" / "attacks").glob("T*_*")}
    assert set(re.findall(r"\bT\d{3}\b", text)) <= attacks


def test_every_shown_command_can_be_tried() -> None:
    """tests/docs executes blocks fenced as bash or console; tests/shown.py says how a page tells what it needs."""
    assert [each for page in pages() for each in hidden_commands(page)] == [], "fence them as ```bash or ```console"
    tried = [page for page in pages() if any(block.mark is None for block in blocks(page))]
    assert [page.name for page in tried if not needs(page)] == [], "say what the reader has: <!-- commands: dev … -->"


def commands_of(readme: str) -> list[str]:
    """The commands of its blocks without their comments; the real run is shown in English only."""
    text = re.sub(r"<!-- demo -->.*?<!-- /demo -->", "", (ROOT / readme).read_text("utf-8"), flags=re.DOTALL)
    lines = re.findall(r"^(?:    )?((?:make|pip|humdial|docker|python) [^#\n]*)", text, re.MULTILINE)
    return [line.strip() for line in lines]


def test_the_chinese_readme_shows_the_same_commands() -> None:
    english = commands_of("README.md")
    assert len(english) > 10
    assert commands_of("README.zh.md") == english, "put the command into both, in the same order"


def test_every_benchmark_is_in_the_figures() -> None:
    figures = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for benchmark in ROOT.glob("benchmarks/*.py"):
        assert f"benchmarks/{benchmark.name}" in figures


def test_the_reference_says_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from from_code import stale_pages

    assert stale_pages() == [], "run `make reference` and commit what it writes"


def test_the_manual_page_names_every_command_and_reads_without_a_warning() -> None:
    page = ROOT / "docs" / "humdial.1"
    text = page.read_text("utf-8")
    assert [name for name in COMMANDS if f"\n.SH HUMDIAL {name.upper()}\n" not in text] == []
    assert r"\fB\-\-references" in text and r"\-h, \-\-help" in text
    orders = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert orders == {'.\\"', ".TH", ".SH", ".PP", ".TP"}
    if groff := shutil.which("groff"):
        done = subprocess.run([groff, "-k", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert "humdial score" in done.stdout


def test_a_page_that_the_code_has_left_behind_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import from_code

    monkeypatch.setattr(from_code, "REFERENCE", tmp_path)
    from_code.write_pages()
    assert from_code.stale_pages() == []
    codes = tmp_path / "codes" / "submission.md"
    codes.write_text(codes.read_text("utf-8").replace("E_WAV_SIZE", "E_WAV_BIG"), "utf-8")
    (tmp_path / "schemas" / "gone.md").write_text(from_code.NOTE, "utf-8")
    (tmp_path / "by-hand.md").write_text("# By hand\n", "utf-8")
    (tmp_path / "exit-codes.md").unlink()
    assert from_code.stale_pages() == ["codes/submission.md", "exit-codes.md", "schemas/gone.md"]
