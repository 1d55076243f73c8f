"""The docs site is built once, as `make docs` does: a warning is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.main import COMMANDS
from harness.documents.codes import all_codes

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", folder / "read"]
    done = subprocess.run([*map(str, command), str(DOCS), str(folder / "site")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "site"


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert pages == {path.relative_to(site) for path in site.rglob("*.html")} - {
        Path("genindex.html"),
        Path("search.html"),
    }


def test_every_command_with_its_options_and_every_code_has_its_place(site: Path) -> None:
    commands = (site / "reference" / "cli.html").read_text("utf-8")
    assert [name for name in COMMANDS if f'id="humdial-{name}"' not in commands] == []
    assert "--layout" in commands
    codes = "".join(path.read_text("utf-8") for path in (site / "reference" / "codes").glob("*.html"))
    assert [name for name in all_codes() if f'id="{name.lower().replace("_", "-")}"' not in codes] == []
