"""What a branch changes, read from git's objects: nothing is checked out and no attribute, filter or hook runs.

The change is what the head has beyond its common ancestor with the base, so that what others merged meanwhile is not
laid at its door. git is asked, not the forge's API: that one stops at 300 files.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MachineError, UsageError

_LFS_HEAD = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1024  # a pointer is never longer
_WORDS = {"A": "adds", "D": "deletes", "M": "changes", "T": "changes"}


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs. ``mode`` is git's, of the head; "000000" where it is deleted."""

    path: str
    word: str
    mode: str
    lfs_pointer: bool


def read_changes(repository: Path, base: str, head: str) -> tuple[tuple[Change, ...], frozenset[str]]:
    """Every change between the common ancestor and ``head``, sorted by path, and all paths of ``base``.

    Raises UsageError (E_USAGE) for a revision that is not there or histories that do not meet, MachineError (I_GIT)
    when git itself fails.
    """
    base_id, head_id = _commit(repository, base), _commit(repository, head)
    try:
        ancestor = _git(repository, "merge-base", base_id, head_id).decode().strip()
    except MachineError as error:
        raise UsageError(
            f"{base} and {head} have no common ancestor here",
            code="E_USAGE",
            hint="fetch the whole history (fetch-depth: 0)",
        ) from error
    raw = _git(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", ancestor, head_id)
    listed = _git(repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", base_id)
    rows = _rows(raw)
    pointers = _pointers(repository, [blob for _, _, mode, blob in rows if mode.startswith("100")])
    changes = [Change(path, word, mode, blob in pointers) for path, word, mode, blob in rows]
    return tuple(sorted(changes, key=lambda each: each.path)), frozenset(map(_text, listed.split(b"\0")[:-1]))


def read_file(repository: Path, revision: str, path: str) -> bytes | None:
    """A file of a revision, None when there is none."""
    commit = _commit(repository, revision)
    if not _git(repository, "ls-tree", "--full-tree", commit, "--", path):
        return None
    return _git(repository, "cat-file", "blob", f"{commit}:{path}")


def _rows(raw: bytes) -> list[tuple[str, str, str, str]]:
    fields = raw.split(b"\0")[:-1]
    rows = []
    for entry, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, blob, letter = entry.decode("ascii").removeprefix(":").split(" ")
        rows.append((_text(path), _WORDS.get(letter[0], "changes"), mode, blob))
    return rows


def _pointers(repository: Path, blobs: list[str]) -> set[str]:
    """Those of the blobs that are Git LFS pointers; two calls of git, however many blobs there are."""
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    small = []
    for line in _git(repository, "cat-file", "--batch-check", stdin=asked).decode("ascii").splitlines():
        blob, kind, *size = line.split(" ")
        if kind == "blob" and int(size[0]) <= _LFS_BYTES:
            small.append(blob)
    contents = _git(repository, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in small).encode())
    found, at = set(), 0
    for blob in small:
        start = contents.index(b"\n", at) + 1
        bytes_ = int(contents[at:start].split(b" ")[2])
        if contents.startswith(_LFS_HEAD, start, start + bytes_):
            found.add(blob)
        at = start + bytes_ + 1
    return found


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _commit(repository: Path, revision: str) -> str:
    try:
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return _git(repository, *asked).decode().strip()
    except MachineError as error:
        raise UsageError(
            f"{repository} has no revision {revision!r}",
            code="E_USAGE",
            hint="fetch the whole history (fetch-depth: 0) and name a branch or a commit",
        ) from error


def _git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), "-c", "core.fsmonitor=false", *arguments],
            input=stdin,
            capture_output=True,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise MachineError("git cannot be started", code="I_GIT", hint="install git") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MachineError(
            f"git {arguments[0]} failed: {said[-1] if said else f'exit {done.returncode}'}",
            code="I_GIT",
            hint="look whether the folder is a repository of yours",
        )
    return done.stdout
