"""Shell commands that the docs show, so that each is executed as a reader would type it.

A block fenced as ``bash`` is a script: every line must succeed. A block fenced as ``console`` holds commands behind
``$ `` and, below each, what it prints; ``…`` stands for anything, and a last line ``(exit 1)`` says how it ends.

``<!-- commands: dev submission engine -->`` near the head of a page says what its reader has (docs/conftest.py). A
block that is not executed where it stands has one of three marks in the line before it, and docs/elsewhere.py looks
whether the mark is true:

- ``<!-- run on: how-to/organisers.md -->``: that page executes the same command lines, word for word;
- ``<!-- run by: tests/room/test_file.py::test_name -->``: that test takes the block from the page and executes it;
- ``<!-- checked: why -->``: it cannot run here; its shell syntax, its commands and their options are looked at.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)(`{3,})([\w-]*)\s*$")
_NEEDS = re.compile(r"^<!-- commands:([\w ]*)-->", re.MULTILINE)
_MARK = re.compile(r"^\s*<!-- (run on|run by|checked): (.+) -->\s*$")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_PROGRAMS = r"humdial|make|docker|pip|python3?|apt-get|git|pre-commit|sandbox/engine\.sh|examples/\S+"
_COMMAND = re.compile(rf"^\s*(?:\$ )?(?:{_PROGRAMS}) \S")
_EXIT = re.compile(r"^\(exit (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """``how`` a block is looked after when it is not executed where it stands, and ``where`` or why."""

    how: str
    where: str


@dataclass(frozen=True, slots=True)
class Block:
    """Commands as they are shown. Without a mark they are executed where they stand."""

    page: Path
    line: int
    kind: str
    text: str
    mark: Mark | None = None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page written by hand."""
    return sorted(path for path in DOCS.rglob("*.md") if not path.read_text("utf-8").startswith("<!-- Written by"))


def needs(page: Path) -> tuple[str, ...]:
    """What the reader of a page has; none where the page says nothing."""
    found = _NEEDS.search(page.read_text("utf-8"))
    return tuple(found[1].split()) if found else ()


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of commands of one page, in order."""
    for line, kind, text, before in _fences(page):
        if kind in ("bash", "console"):
            mark = _MARK.match(before)
            yield Block(page, line, kind, text, Mark(mark[1], mark[2]) if mark else None)


def shown(page: str, start: str) -> Block:
    """The one block of a page (named from docs/ on) with a command that starts so: for the tests that execute it."""
    (found,) = (block for block in blocks(DOCS / page) if any(line.startswith(start) for line in command_lines(block)))
    return found


def command_lines(block: Block) -> list[str]:
    """Every line of command, continued ones as one, without comments and with single spaces."""
    joined = "\n".join(step.command for step in steps(block)).replace("\\\n", " ")
    lines = (" ".join(_COMMENT.sub("", line).split()) for line in joined.splitlines())
    return [line for line in lines if line]


def hidden_commands(page: Path) -> list[str]:
    """Commands in a block that is neither bash nor console, where nothing would try them."""
    found = [
        f"{page.relative_to(ROOT)}:{line}: {each.strip()}"
        for line, kind, text, _ in _fences(page)
        if kind not in ("bash", "console", "makefile", "yaml")
        for each in text.splitlines()
        if _COMMAND.match(each)
    ]
    inside = False
    for number, each in enumerate(page.read_text("utf-8").splitlines(), 1):
        inside ^= bool(_FENCE.match(each))
        if not inside and each.startswith("    ") and _COMMAND.match(each):
            found.append(f"{page.relative_to(ROOT)}:{number}: {each.strip()}")
    return found


def _fences(page: Path) -> Iterator[tuple[int, str, str, str]]:
    """Line, kind, text and the line before, of every fenced block; indentation is taken off."""
    lines = page.read_text("utf-8").splitlines()
    start: int | None = None
    opened = _FENCE.match("```")
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if start is None and match:
            start, opened = number, match
        elif start is not None and match and opened and match[2] == opened[2] and not match[3]:
            indent = len(opened[1])
            text = "\n".join(
                each[indent:] if each.startswith(" " * indent) else each for each in lines[start + 1 : number]
            )
            yield start + 1, opened[3], text, lines[start - 1] if start else ""
            start = None


# ------------------------------------------------------------------------------------------ executing


@dataclass(frozen=True, slots=True)
class Step:
    """One command, what is shown below it, and how it is said to end."""

    command: str
    shown: str
    exit_code: int


def steps(block: Block) -> list[Step]:
    if block.kind == "bash":
        return [Step(block.text, "", 0)]
    found: list[Step] = []
    command: list[str] = []
    shown: list[str] = []

    def close() -> None:
        if command:
            ending = _EXIT.match(shown[-1]) if shown else None
            said = shown[:-1] if ending else shown
            found.append(Step("\n".join(command), "\n".join(said).strip("\n"), int(ending[1]) if ending else 0))

    for line in block.text.splitlines():
        if line.startswith("$ "):
            close()
            command, shown = [line[2:]], []
        elif command and not shown and command[-1].endswith("\\"):
            command.append(line)
        else:
            shown.append(line)
    close()
    return found


def execute(block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a block in ``folder``; what it printed, stderr too. Raises AssertionError where it ends or prints otherwise
    than the page says."""
    everything = ""
    for step in steps(block):
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", step.command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3000,
        )
        said = f"{block.place}\n$ {step.command}\n{done.stdout}"
        assert "Traceback" not in done.stdout, said
        assert done.returncode == step.exit_code, f"exit {done.returncode}, the page says {step.exit_code}: {said}"
        if step.shown:
            assert _pattern(step.shown).search(_trimmed(done.stdout) + "\n"), (
                f"the page shows\n{step.shown}\nbut it was {said}"
            )
        everything += done.stdout
    return everything


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def _pattern(shown: str) -> re.Pattern[str]:
    """``…`` inside a line stands for anything in that line; a line of its own for any number of lines, or none."""
    lines = _trimmed(shown).splitlines()
    parts = [r"(?:[^\n]*\n)*?" if line == "…" else _line(line) + r"\n" for line in lines]
    return re.compile(r"\A" + "".join(parts) + r"\Z")


def _line(shown: str) -> str:
    return r"[^\n]*".join(re.escape(part) for part in shown.split("…"))
