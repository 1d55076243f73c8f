"""The page count of a PDF, asked of a child process with limits, so that it runs beside the other checks.

Starting that child costs more than all else in a small submission, and teams hand in one description many times: what
was counted once is known by its digest for as long as this process lives.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from harness import system
from harness.errors import MachineError
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.system import read_at

_PROGRAM = Path(__file__).with_name("pdf_pages.py")
_MAX_BYTES = 256 << 20
_FROM_OUTSIDE = system.signals("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
# Where processor time is limited, no answer for so long is the machine's fault; elsewhere this is the only limit.
_LIMITED = find_spec("resource") is not None
_STALL_S = 600 if _LIMITED else 60
_WAIT_S = 8
_COUNTED: dict[str, int] = {}  # pages by the sha256 of the file; what could not be read is tried anew
_MOST = 1000  # files that are remembered
_REMEMBERED_BYTES = 16 << 20  # of a larger file the digest costs more than the child
_CHUNK = 1 << 20


class PageCount:
    """Started at once, asked later with `pages`; `close` always."""

    def __init__(self, tree: Tree, path: str) -> None:
        """Raises Refusal when the file cannot be opened or is no PDF by its first bytes."""
        self._name = quoted(path.rpartition("/")[2])
        self._process: subprocess.Popen[bytes] | None = None
        self._digest: str | None = None
        self._descriptor: int | None = None
        if tree.files[path].bytes > _MAX_BYTES:
            raise Refusal("E_PDF_BROKEN", name=self._name, what=f"it has more than {_MAX_BYTES} bytes")
        try:
            with tree.open(path) as descriptor:
                self._start(descriptor, tree.files[path].bytes)
        except Refusal:  # it changes meanwhile: what was started is of no use
            self.close()
            raise

    def _start(self, descriptor: int, bytes_: int) -> None:
        """The child, unless the count is known. Raises Refusal."""
        if b"%PDF-" not in _head(descriptor):
            raise Refusal("E_PDF_BROKEN", name=self._name, what="it does not start with %PDF-")
        if bytes_ <= _REMEMBERED_BYTES:
            self._digest = _digest(descriptor)
            if self._digest in _COUNTED:
                return
            self._descriptor = os.dup(descriptor)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def pages(self) -> int:
        """How many pages. Raises Refusal (E_PDF_BROKEN, E_PDF_ENCRYPTED), MachineError (I_READER)."""
        if self._process is None:
            assert self._digest is not None  # the constructor starts the child, knows the count, or raises
            return _COUNTED[self._digest]
        try:
            pages = self._answer()
            self._remember(pages)
            return pages
        finally:
            self.close()

    def _answer(self) -> int:
        assert self._process is not None  # as above
        try:
            raw, _ = self._process.communicate(timeout=_STALL_S)
            answer = json.loads(raw)
            if not isinstance(answer, dict) or type(answer.get("pages", 0)) is not int:
                raise ValueError("not an answer")
        except subprocess.TimeoutExpired as error:
            if not _LIMITED:
                raise self._too_much() from error
            raise MachineError(
                f"the page count had not come after {_STALL_S} s", code="I_READER", hint="run the same command again"
            ) from error
        except ValueError as error:
            if -self._process.returncode in _FROM_OUTSIDE:
                raise MachineError(
                    f"the process that counts pages was ended from outside (signal {-self._process.returncode})",
                    code="I_READER",
                    hint="is the machine out of memory? run the same command again; no team is to blame",
                ) from error
            raise self._too_much() from error
        if answer.get("encrypted"):
            raise Refusal("E_PDF_ENCRYPTED", name=self._name)
        if "pages" not in answer:
            raise Refusal(
                "E_PDF_BROKEN",
                name=self._name,
                what=f"its structure is broken ({quoted(str(answer.get('error')))[1:-1]})",
            )
        return int(answer["pages"])

    def _remember(self, pages: int) -> None:
        """Not of a file that was changed while it was read: another team may have handed in what it was before."""
        if self._descriptor is not None and _digest(self._descriptor) == self._digest and len(_COUNTED) < _MOST:
            _COUNTED[self._digest] = pages

    def _too_much(self) -> Refusal:
        return Refusal("E_PDF_BROKEN", name=self._name, what="reading it takes too much time or memory")

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_WAIT_S)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _head(descriptor: int) -> bytes:
    return read_at(descriptor, 1024, 0)


def _digest(descriptor: int) -> str:
    found, at = hashlib.sha256(), 0
    while chunk := read_at(descriptor, _CHUNK, at):
        found.update(chunk)
        at += len(chunk)
    return found.hexdigest()
