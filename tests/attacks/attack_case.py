"""One attack: its folder, what must happen, and the box in which it happens."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
CANARY = "canary-7b1f60c2"  # stands in every place that must stay unread: environment, home, bait, gold text
OUTCOMES = ("REJECT", "FLOOR", "WARN", "FLAG", "ACCEPT", "RUNFAIL", "CONTAIN", "INFRA")
_FOLDER = re.compile(r"T(\d{3})_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of a subject: the outcome, and exactly these codes (their set). ``more`` is for the stage."""

    outcome: str
    codes: frozenset[str]
    more: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """``expect`` maps a pattern of subjects' names to what must become of them; each subject fits exactly one.

    ``steady`` is False where something changes the subjects meanwhile, so that two runs may differ. ``more`` is for the
    stage.
    """

    number: int
    folder: Path
    title: str
    stage: str
    marks: tuple[str, ...]
    args: tuple[str, ...]
    steady: bool
    more: dict[str, Any]
    expect: dict[str, Expected]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def section(self) -> str:
        return next((name for name, part in sections().items() if self.number in part["numbers"]), "?")

    def module(self) -> ModuleType:
        """make.py: ``make(subjects, random)``, perhaps ``during(subjects, stop)``."""
        spec = importlib.util.spec_from_file_location(f"attack_{self.id}", self.folder / "make.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def expected(self, subject: str) -> Expected:
        fitting = [each for pattern, each in self.expect.items() if fnmatchcase(subject, pattern)]
        assert len(fitting) == 1, f"{subject!r} fits {len(fitting)} patterns of {self.id}/expect.toml"
        return fitting[0]


@dataclass(frozen=True, slots=True)
class Box:
    """A case's folders. What is judged lies in ``subjects``, each entry for itself; nothing may touch ``bait``."""

    root: Path

    @classmethod
    def new(cls, root: Path) -> Box:
        box = cls(root)
        for folder in (box.subjects, box.bait, box.home, box.tmp, box.out, box.composed):
            folder.mkdir()
        for folder in (box.bait, box.home):
            (folder / "secret.txt").write_text(CANARY, "utf-8")
        return box

    subjects = property(lambda self: self.root / "subjects")
    bait = property(lambda self: self.root / "bait")
    home = property(lambda self: self.root / "home")
    tmp = property(lambda self: self.root / "tmp")
    out = property(lambda self: self.root / "out")
    composed = property(lambda self: self.root / "composed")  # what a stage makes of the subjects

    def remove(self) -> None:
        shutil.rmtree(self.root)

    def guarded(self) -> dict[str, tuple[int, ...]]:
        """Every file that must stay as it is, by path: kind, size, links and times."""
        found = {}
        for top in (self.subjects, self.composed, self.bait, self.home):
            for folder, folders, files in os.walk(top):
                for name in (*folders, *files):
                    path = os.path.join(folder, name)  # noqa: PTH118 - tens of thousands of files
                    info = os.lstat(path)
                    found[path] = (info.st_mode, info.st_size, info.st_nlink, info.st_mtime_ns, info.st_ctime_ns)
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one subject."""

    outcome: str
    codes: frozenset[str]
    document: dict[str, Any]


@cache
def sections() -> dict[str, dict[str, Any]]:
    """The sections of threats.toml by letter: a title and the numbers of their cases."""
    return tomllib.loads((HERE / "threats.toml").read_text("utf-8"))


@cache
def cases() -> tuple[Case, ...]:
    """Every folder of an attack, in order."""
    found = [path for path in HERE.iterdir() if _FOLDER.fullmatch(path.name) and (path / "expect.toml").exists()]
    return tuple(sorted(map(_load, found), key=lambda case: case.id))


def _load(folder: Path) -> Case:
    number = _FOLDER.fullmatch(folder.name)
    assert number is not None
    plain = tomllib.loads((folder / "expect.toml").read_text("utf-8"))
    expect = {
        pattern: Expected(entry.pop("outcome"), frozenset(entry.pop("codes", [])), entry)
        for pattern, entry in plain.pop("expect").items()
    }
    assert all(each.outcome in OUTCOMES for each in expect.values()), folder
    return Case(
        number=int(number[1]),
        folder=folder,
        title=plain.pop("title"),
        stage=plain.pop("stage", "validate"),
        marks=tuple(plain.pop("marks", ())),
        args=tuple(plain.pop("args", ())),
        steady=plain.pop("steady", True),
        expect=expect,
        more=plain,
    )
