"""Takes a container's results out of /output: expected names only, regular files only, ids mapped back.

Runs when the container is gone, so nothing changes underneath. Nothing found there is followed, imported or believed:
the copies are validated again as any submission is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from harness.challenge.spec import Challenge, Layout, Task
from harness.documents.codes import finding
from harness.documents.finding import Finding, Severity
from harness.documents.run_record import OutputFile
from harness.errors import MachineError
from harness.sandbox.result_lines import MappedLines
from harness.sandbox.safe_open import kind_of, open_beneath, open_root
from harness.sandbox.staging import Staged, StagedDialogue
from harness.sandbox.staging_pairs import StagedPairs

_CHUNK = 1 << 20
_MAX_DEPTH = 32
_NAMED_FINDINGS = 20
# What says something about this machine and nothing about the file.
_OUR_ERRNO = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was taken, by path in the submission, and what was found on the way."""

    outputs: tuple[OutputFile, ...]
    findings: tuple[Finding, ...]


def collect_outputs(
    store: Path, target: Path, staged: Staged | StagedPairs, challenge: Challenge, cap_files: int, cap_bytes: int
) -> Collected:
    """Copy the expected results from ``store`` into the new folder ``target`` as a submission of the staged layout.

    ``cap_bytes`` bounds what is copied in all: files with holes pass the store's own cap, and copies have no holes.
    Raises MachineError (I_DISK) when ``target`` cannot be written.
    """
    collector = _Collector(store, target, staged, challenge, cap_files, cap_bytes)
    target.mkdir(parents=True, exist_ok=True)
    try:
        return collector.run()
    except OSError as error:
        raise MachineError(
            f"the outputs could not be copied to {target}: {error.strerror}",
            code="I_DISK",
            hint="free space and run again; the submission is not to blame",
        ) from error


@dataclass(slots=True)
class _Collector:
    store: Path
    target: Path
    staged: Staged | StagedPairs
    challenge: Challenge
    cap_files: int
    left_bytes: int
    outputs: list[OutputFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    def run(self) -> Collected:
        root = open_root(self.store)
        try:
            if isinstance(self.staged, StagedPairs):
                self._take_pairs(root, self.staged)
            else:
                for (language, task_id), dialogues in self.staged.dialogues.items():
                    self._take_task(root, self.staged.layout, language, self.challenge.tasks[task_id], dialogues)
            self._look_at_the_rest(root)
        finally:
            os.close(root)
        return Collected(tuple(sorted(self.outputs, key=lambda each: each.path)), tuple(self.findings))

    def _take_pairs(self, root: int, staged: StagedPairs) -> None:
        self.expected |= staged.warm_up
        for source, target in staged.outputs.items():
            self._take_audio(root, source, target)

    def _take_task(
        self, root: int, layout: Layout, language: str, task: Task, dialogues: tuple[StagedDialogue, ...]
    ) -> None:
        path = layout.jsonl_path(language, task.id)
        cap = self.challenge.read_limits.jsonl_bytes
        with _Opened(self, root, path, cap, "error", shown=path) as descriptor:
            if descriptor is not None:
                ids = {each.opaque_id: each.dialogue_id for each in dialogues}
                with os.fdopen(os.dup(descriptor), "rb") as stream:
                    result = MappedLines(stream, ids, self.challenge.read_limits)
                    self._write(path, result.lines())
                if result.unknown:
                    self.findings.append(finding("W_OUT_UNKNOWN", file=path, path=path, count=result.unknown))
                if result.telling:
                    self.findings.append(finding("F_ID_ECHO", file=path, path=path, count=result.telling))
                if result.unreadable:
                    self.findings.append(finding("W_OUT_LINE", file=path, path=path, count=result.unreadable))
        if task.audio_required == "none" and task.reply != "audio":
            return
        for dialogue in dialogues:
            for turn_id in dialogue.turn_ids:
                source = layout.audio_path(language, task.id, dialogue.opaque_id, turn_id)
                self._take_audio(root, source, layout.audio_path(language, task.id, dialogue.dialogue_id, turn_id))

    def _take_audio(self, root: int, source: str, target: str) -> None:
        # A faulty WAV costs its item only, hence a warning: to the validation the item is simply missing.
        with _Opened(self, root, source, self.challenge.audio.max_bytes, "warning", shown=target) as descriptor:
            if descriptor is not None:
                self._write(target, _chunks(descriptor))

    def _write(self, relative: str, parts: Iterator[bytes]) -> None:
        path = self.target / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as copy:
            for part in parts:
                digest.update(part)
                size += copy.write(part)
        self.outputs.append(OutputFile(relative, size, digest.hexdigest()))

    def _look_at_the_rest(self, root: int) -> None:
        """Everything that was not asked for: counted, named when it is of a kind that says something, never read."""
        entries = list(islice(_walk(root), self.cap_files + 1))
        if len(entries) > self.cap_files:
            self.findings.append(finding("E_OUT_COUNT", severity="warning", cap=self.cap_files))
        odd: list[tuple[str, int]] = []
        special: list[tuple[str, int]] = []
        extra: list[tuple[str, int]] = []
        for relative, mode in sorted(entries):
            if _odd(relative):
                odd.append((relative, mode))
            elif relative not in self.expected and not stat.S_ISDIR(mode):
                (extra if stat.S_ISREG(mode) else special).append((relative, mode))
        for code, found in (("E_OUT_NAME", odd), ("E_OUT_TYPE", special)):
            for relative, mode in found[:_NAMED_FINDINGS]:
                self.findings.append(finding(code, severity="warning", path=_shown(relative), kind=kind_of(mode)))
            extra += found[_NAMED_FINDINGS:]
        if extra:
            self.findings.append(finding("W_OUT_EXTRA", count=len(extra), path=_shown(extra[0][0])))


class _Opened:
    """One expected file, open and checked, or None with its finding recorded under the name ``shown``, which carries
    the real id. Missing is not a finding here."""

    def __init__(
        self, collector: _Collector, root: int, path: str, cap: int, severity: Severity, *, shown: str
    ) -> None:
        self._collector, self._root, self._path, self._cap, self._severity = collector, root, path, cap, severity
        self._shown = shown
        self._descriptor: int | None = None

    def __enter__(self) -> int | None:
        self._collector.expected.add(self._path)
        try:
            descriptor = open_beneath(self._root, self._path)
        except OSError as error:
            if error.errno in _OUR_ERRNO:
                raise
            self._record_refusal(error.errno or 0)
            return None
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            self._refuse("E_OUT_TYPE", kind=kind_of(found.st_mode))
        elif found.st_nlink != 1:
            self._refuse("E_OUT_TYPE", kind="a file with more than one name (a hard link)")
        elif found.st_size > min(self._cap, self._collector.left_bytes):
            self._refuse("E_OUT_SIZE", cap=min(self._cap, self._collector.left_bytes))
        else:
            self._collector.left_bytes -= found.st_size
            return descriptor
        return None

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _record_refusal(self, code: int) -> None:
        if code in (errno.ENOENT, errno.ENOTDIR):
            return  # missing; a file where a folder should be shows up among the rest
        if code == errno.EACCES:
            self._refuse("E_OUT_PERM")
        elif code in (errno.ELOOP, errno.EXDEV):
            self._refuse("E_OUT_TYPE", kind="a symbolic link, or lies behind one or behind a mount")
        else:  # ENXIO: a socket, or a pipe or device that has no other end
            self._refuse("E_OUT_TYPE", kind="a pipe, a socket or a device")

    def _refuse(self, code: str, *, kind: str = "", cap: int = 0) -> None:
        path = _shown(self._shown)
        self._collector.findings.append(
            finding(code, severity=self._severity, file=self._shown, path=path, kind=kind, cap=cap)
        )


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk


def _walk(root: int) -> Iterator[tuple[str, int]]:
    """Every entry below ``root`` with its mode, links not followed, no deeper than any result can lie."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            descriptor = open_beneath(root, folder, folder=True) if folder else os.dup(root)
        except OSError:  # closed to us, or too long a path: it is counted as an entry of its parent already
            continue
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    relative = f"{folder}/{entry.name}" if folder else entry.name
                    mode = _mode(entry)
                    yield relative, mode
                    if stat.S_ISDIR(mode) and relative.count("/") < _MAX_DEPTH:
                        waiting.append(relative)
        finally:
            os.close(descriptor)


def _mode(entry: os.DirEntry[str]) -> int:
    """A file's mode; 0, something unknown, in a folder that may be listed and not entered."""
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        if error.errno in _OUR_ERRNO:
            raise
        return 0


def _odd(relative: str) -> bool:
    """Control characters, broken UTF-8 (surrogates), or a leading dash: names that are never right."""
    name = relative.rpartition("/")[2]
    return not name.isprintable() or name.startswith("-") or len(os.fsencode(name)) > 255


def _shown(relative: str) -> str:
    """A team's file name as printable ASCII, quoted and short."""
    return ascii(relative if len(relative) <= 120 else relative[:117] + "...")
