"""The page count of a PDF, asked of a child process with limits, so that it runs beside the other checks."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.system import read_at

_PROGRAM = Path(__file__).with_name("pdf_pages.py")
_MAX_BYTES = 256 << 20
_WAIT_S = 8


class PageCount:
    """Started at once, asked later with `pages`; `close` always."""

    def __init__(self, tree: Tree, path: str) -> None:
        """Raises Refusal when the file cannot be opened or is no PDF by its first bytes."""
        self._name = quoted(path.rpartition("/")[2])
        self._process: subprocess.Popen[bytes] | None = None
        if tree.files[path].bytes > _MAX_BYTES:
            raise Refusal("E_PDF_BROKEN", name=self._name, what=f"it has more than {_MAX_BYTES} bytes")
        with tree.open(path) as descriptor:
            if b"%PDF-" not in _head(descriptor):
                raise Refusal("E_PDF_BROKEN", name=self._name, what="it does not start with %PDF-")
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=descriptor,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def pages(self) -> int:
        """How many pages. Raises Refusal (E_PDF_BROKEN, E_PDF_ENCRYPTED)."""
        assert self._process is not None  # the constructor starts it or raises
        try:
            raw, _ = self._process.communicate(timeout=_WAIT_S)
            answer = json.loads(raw)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise Refusal("E_PDF_BROKEN", name=self._name, what="reading it takes too much time or memory") from error
        finally:
            self.close()
        if answer.get("encrypted"):
            raise Refusal("E_PDF_ENCRYPTED", name=self._name)
        if "pages" not in answer:
            raise Refusal("E_PDF_BROKEN", name=self._name, what=f"its structure is broken ({answer.get('error')})")
        return int(answer["pages"])

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_WAIT_S)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def _head(descriptor: int) -> bytes:
    return read_at(descriptor, 1024, 0)
