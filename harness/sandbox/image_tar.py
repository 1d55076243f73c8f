"""`docker save` tars from teams: read by a child process with limits, and written anew for the engine.

The engine never sees the team's tar. What it loads is an archive of our own making with the same config and layers
(`image_tar_reader.py`), so the image's id is known before anything is loaded.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, NoReturn

from harness import system
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.errors import MachineError
from harness.sandbox.engine import Engine, LoadRefused
from harness.sandbox.image_rules import MAX_IMAGE_BYTES, MAX_LAYERS

_PROGRAM = Path(__file__).with_name("image_tar_reader.py")
_MAX_ANSWER = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VALUES: dict[str, dict[str, type]] = {
    "E_IMG_ARCHIVE": {"why": str},
    "E_IMG_SIZE": {"bytes": int, "layers": int, "cap": int},
}
_NONSENSE = "the process that read it answered nonsense"
_FROM_OUTSIDE = system.signals("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")


class ArchiveRefused(Exception):
    """The tar is not an image that we load; ``finding`` says why."""

    def __init__(self, refusal: Finding) -> None:
        super().__init__(refusal.message)
        self.finding = refusal


def load_image_tar(engine: Engine, path: Path, *, max_bytes: int = MAX_IMAGE_BYTES) -> str:
    """Check ``path``, load it, return the image id.

    Raises ArchiveRefused when it is not a sound image, MachineError when the engine (I_ENGINE), the disk (I_DISK) or
    something outside (I_READER) fails.
    """
    try:
        with path.open("rb") as tar, tempfile.TemporaryFile() as clean:
            return _loaded(engine, tar, clean, max_bytes)
    except OSError as error:
        raise _disk(error.strerror or "it cannot be opened") from error


def _loaded(engine: Engine, tar: IO[bytes], clean: IO[bytes], max_bytes: int) -> str:
    order = {"tar": tar.fileno(), "clean": clean.fileno(), "scratch": tempfile.gettempdir()}
    order |= {"bytes": max_bytes, "layers": MAX_LAYERS}
    child = subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(tar.fileno(), clean.fileno()),
    )
    with child:
        try:
            digest = _ask(child, json.dumps(order)).get("image")
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                _refuse(_NONSENSE)
            image_id = f"sha256:{digest}"
            if engine.inspect_image(image_id) is not None:
                return image_id
            if _ask(child, "go on").get("whole") is not True:
                _refuse(_NONSENSE)
        finally:
            child.kill()
    os.lseek(clean.fileno(), 0, os.SEEK_SET)
    try:
        engine.load(clean)
    except LoadRefused as refused:
        if refused.for_want_of_space:
            raise
        _refuse("the engine cannot load it")
    if engine.inspect_image(image_id) is None:
        _refuse("the engine makes another image of it than its config says")
    return image_id


def _ask(child: subprocess.Popen[bytes], line: str) -> dict[str, Any]:
    """One line to the child, and its answer. Raises ArchiveRefused and MachineError as it says, or for how it ended."""
    assert child.stdin is not None and child.stdout is not None  # they were opened as pipes
    try:
        child.stdin.write(line.encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        pass  # it has died; the answer that does not come says so
    raw = child.stdout.readline(_MAX_ANSWER)
    if not raw:
        _died(child.wait())
    try:
        answer = json.loads(raw)
        if "refused" in answer:
            code, values = answer["refused"]
            kinds = _VALUES[code]
            if values.keys() != kinds.keys() or not all(type(values[name]) is kind for name, kind in kinds.items()):
                raise ValueError("not a refusal")
            if not str(values.get("why", "")).isprintable():
                raise ValueError("not a text")
            refusal = finding(code, **values)
        elif "machine" in answer:
            raise _disk(ascii(str(answer["machine"]))[1:-1])
        else:
            return dict(answer)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArchiveRefused(finding("E_IMG_ARCHIVE", why=_NONSENSE)) from error
    raise ArchiveRefused(refusal)


def _died(status: int) -> NoReturn:
    if -status in _FROM_OUTSIDE:
        raise MachineError(
            f"the process that reads image archives was ended from outside (signal {-status})",
            code="I_READER",
            hint="is the machine out of memory? run the same command again; no team is to blame",
        )
    if -status in system.signals("SIGXCPU"):
        _refuse("reading it takes more processor time than any image should")
    _refuse(f"the process that read it ended without an answer ({f'signal {-status}' if status < 0 else 'no word'})")


def _refuse(why: str) -> NoReturn:
    raise ArchiveRefused(finding("E_IMG_ARCHIVE", why=why))


def _disk(what: str) -> MachineError:
    return MachineError(
        f"the image archive could not be read and copied: {what}",
        code="I_DISK",
        hint="free space where temporary files go, or set TMPDIR",
    )
