"""The closed list of codes is closed: nothing is used that is not in it, and every entry is produced by some test.

A room registers nothing by hand: its codes are in `harness/documents/codes/<room>.toml`, and a test somewhere names
the code it provokes.
"""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path

import pytest

from harness.documents.codes import all_codes

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).name
_LITERAL = re.compile(r"""["']([EWIFR]_[A-Z][A-Z0-9_]*[A-Z0-9])["']""")


def literals(folder: Path) -> dict[str, str]:
    """Every code that is written out in the Python files of a folder, with one file that does."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        if path.name != HERE:
            for code in _LITERAL.findall(path.read_text("utf-8")):
                found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def test_every_code_in_use_is_in_the_list() -> None:
    unknown = {code: path for code, path in literals(ROOT / "harness").items() if code not in all_codes()}
    assert unknown == {}


def test_every_code_of_the_list_is_in_use() -> None:
    assert sorted(set(all_codes()) - set(literals(ROOT / "harness"))) == []


@cache
def written_tests() -> str:
    """All tests, and what the attacks expect, in one string."""
    paths = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tests" / "attacks").rglob("expect.toml")]
    return "\n".join(path.read_text("utf-8") for path in paths if path.name != HERE)


@pytest.mark.parametrize("code", all_codes())
def test_each_code_is_produced_by_a_test(code: str) -> None:
    assert code in written_tests(), f"no test provokes {code}"


@pytest.mark.parametrize("code", all_codes())
def test_each_entry_is_complete(code: str) -> None:
    entry = all_codes()[code]
    assert entry.title and entry.message and entry.hint and entry.bad and entry.good
    assert entry.bad != entry.good
    assert not entry.message.endswith(".") and not entry.hint.endswith(".")
    for text in (entry.message, entry.hint):
        assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text))
    if code.startswith("E_"):
        assert entry.severity == "error"
    if code.startswith("W_"):
        assert entry.severity == "warning"
