"""What a change may hold: new folders of one team, with regular files. Pure: git has been read before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.gate.changes import Change

_TEAM = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
_ATTEMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_KINDS = {"120000": "a symbolic link", "160000": "a submodule"}
_REGULAR = ("100644", "100755", "000000")


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may change what. ``folder`` collects the submissions as folder/team/attempt; ``teams`` says which accounts
    speak for a team (None: nobody keeps a list, and a change may touch one team alone)."""

    folder: str
    author: str | None = None
    teams: Mapping[str, tuple[str, ...]] | None = None


def judge_changes(
    changes: Iterable[Change], base_paths: frozenset[str], gate: Gate
) -> tuple[list[Finding], tuple[str, ...]]:
    """Everything that is refused, and the new submissions' folders that may be looked at, sorted."""
    earlier = {"/".join(path.split("/")[: gate.folder.count("/") + 3]) for path in base_paths}
    findings: list[Finding] = []
    folders: set[str] = set()
    teams: set[str] = set()
    for change in changes:
        place = _place(change.path, gate.folder)
        if place is None:
            name = _shown(change.path)
            findings.append(finding("E_GATE_PATH", file=change.path, change=change.word, name=name, folder=gate.folder))
            continue
        team, folder = place
        teams.add(team)
        found = [*_faults(change, folder in earlier), *_foreign(change, team, min(teams), gate)]
        findings += found
        folders.add(folder)
    refused = {"/".join(entry.file.split("/")[: gate.folder.count("/") + 3]) for entry in findings if entry.file}
    if not folders and not findings:
        findings.append(finding("E_GATE_EMPTY", folder=gate.folder))
    return findings, tuple(sorted(folders - refused))


def _place(path: str, folder: str) -> tuple[str, str] | None:
    """The team and the submission's folder that a path lies in."""
    if not path.startswith(f"{folder}/"):
        return None
    team, _, rest = path.removeprefix(f"{folder}/").partition("/")
    attempt, slash, _ = rest.partition("/")
    if not slash or not _TEAM.fullmatch(team) or not _ATTEMPT.fullmatch(attempt):
        return None
    return team, f"{folder}/{team}/{attempt}"


def _faults(change: Change, earlier: bool) -> Iterator[Finding]:
    name = _shown(change.path)
    if earlier:
        yield finding("E_GATE_EARLIER", file=change.path, change=change.word, name=name)
    if change.mode not in _REGULAR:
        yield finding("E_GATE_TYPE", file=change.path, name=name, what=_KINDS.get(change.mode, "no regular file"))
    if change.lfs_pointer:
        yield finding("E_GATE_LFS", file=change.path, name=name)


def _foreign(change: Change, team: str, first: str, gate: Gate) -> Iterator[Finding]:
    if gate.teams is not None:
        members = {name.casefold() for name in gate.teams.get(team, ())}
        if gate.author is None or gate.author.casefold() not in members:
            who = f"{gate.author or 'nobody'} does not speak for {team}"
            yield finding("E_GATE_TEAM", file=change.path, change=change.word, name=_shown(change.path), who=who)
    elif team != first:
        who = f"it changes {first} too, and a change is of one team"
        yield finding("E_GATE_TEAM", file=change.path, change=change.word, name=_shown(change.path), who=who)


def _shown(path: str) -> str:
    return repr(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
