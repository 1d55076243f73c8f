"""Reading in a child process with limits (`child.py`): an archive, or any number of WAVs with one child.

A file that breaks its reader, or needs more than the limits, gets a refusal that says so; the others are still read.
What the child says is checked like any foreign document: known codes, short printable values, nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from harness import system
from harness.challenge.reading import AudioRules, ReadLimits
from harness.documents.codes import all_codes
from harness.errors import MachineError
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.tree import stamp

_PROGRAM = Path(__file__).with_name("child.py")
_CODES = ("E_ARC_", "E_NAME", "E_CHANGED", "E_LAYOUT_", "E_READ_", "E_WAV_", "W_WAV_", "I_DISK")
_MAX_LINE = 1 << 16
_MAX_VALUE = 600
_STALL_S = 600  # no answer for so long is the machine's fault: processor time is limited apart from this
_MAX_BROKEN = 5  # so many files that break the reader, and the rest is not tried any more
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READY: list[subprocess.Popen[bytes]] = []  # at most one; unused, it ends when its standard input does
_FROM_OUTSIDE = system.signals("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
_OUT_OF_TIME = system.signals("SIGXCPU")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child says of one WAV: the digest of its bytes (or of what it wrote), duration and rate when its header
    could be read, whether it is accepted, and every problem."""

    sha256: str | None
    duration_s: float
    rate_hz: int
    accepted: bool
    problems: tuple[Refusal, ...]

    @property
    def broke_off(self) -> bool:
        """Whether reading it ended in a crash or at a limit."""
        return any(problem.code.startswith("E_READ_") for problem in self.problems)


def unpack_apart(descriptor: int, path: Path, target: Path, limits: ReadLimits) -> list[str]:
    """`archive.unpack` of the open archive at ``path`` in a child, which opens it anew where a system passes no open
    files, and refuses another one. Raises what it raises, Refusal (E_READ_*) when the archive breaks the reader, and
    MachineError (I_READER) when something else ends it."""
    order = {
        "do": "unpack",
        "limits": asdict(limits),
        "descriptor": descriptor if system.PASSES_DESCRIPTORS else None,
        "path": os.path.abspath(path),  # noqa: PTH100 - resolve() would follow links
        "stamp": list(stamp(os.fstat(descriptor))),
        "name": path.name,
        "target": os.path.abspath(target),  # noqa: PTH100 - resolve() would follow links
        "bytes": os.fstat(descriptor).st_size,
    }
    child = _start(pass_fds=(descriptor,) if system.PASSES_DESCRIPTORS else ())
    try:
        raw, _ = child.communicate(json.dumps(order).encode() + b"\n")
    except BaseException:
        _end(child)
        raise
    try:
        answer = json.loads(raw)
        if "junk" in answer:
            return [str(path) for path in answer["junk"]]
        if "machine" in answer:
            message, code, hint = answer["machine"]
            raise MachineError(message, code=code, hint=hint)
        refusal = _refusal(answer["refused"])
    except (ValueError, TypeError, KeyError) as error:
        raise _death(child.returncode) from error
    raise refusal


def make_ready() -> None:
    """Start the child that will read the first audio: it gets ready while the caller still loads its own libraries."""
    if not _READY:
        _READY.append(_start("audio"))


def _start(*arguments: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _death(status: int) -> Refusal:
    """What it means that a child ended without an answer. Raises MachineError when something outside ended it."""
    if -status in _FROM_OUTSIDE:
        raise MachineError(
            f"the process that reads files was ended from outside (signal {-status})",
            code="I_READER",
            hint="is the machine out of memory? run the same command again; no team is to blame",
        )
    if -status in _OUT_OF_TIME:
        return Refusal("E_READ_LIMIT", what="more processor time than any such file should")
    return Refusal("E_READ_CRASH", what=f"signal {-status}" if status < 0 else "no answer")


def _refusal(raw: Any) -> Refusal:
    """A refusal as the child wrote it. Raises ValueError or TypeError for anything that it may not say."""
    code, file, values = raw
    known = isinstance(code, str) and code.startswith(_CODES) and code in all_codes()
    if not known or not (file is None or isinstance(file, str)) or not isinstance(values, dict):
        raise ValueError("not a refusal")
    for name, value in values.items():
        plain = isinstance(value, (int, float)) or (
            isinstance(value, str) and len(value) <= _MAX_VALUE and value.isprintable()
        )
        if not name.isidentifier() or not plain:
            raise ValueError("not a value of a refusal")
    entry = all_codes()[code]
    try:
        entry.message.format_map(values), entry.hint.format_map(values)
    except (LookupError, AttributeError) as error:
        raise ValueError("a refusal without its values") from error
    return Refusal(code, file=file, **values)


def _answer(raw: bytes) -> tuple[int, Answer]:
    number, sha256, facts, problems = json.loads(raw)
    if not isinstance(number, int) or not (sha256 is None or _SHA256.fullmatch(sha256)):
        raise ValueError("not an answer")
    duration_s, rate_hz = facts or (0.0, 0)
    if not isinstance(duration_s, float) or not isinstance(rate_hz, int):
        raise ValueError("not the facts of a WAV")
    refusals = tuple(map(_refusal, problems))
    accepted = facts is not None and not any(each.code.startswith("E_") for each in refusals)
    return number, Answer(sha256, duration_s, rate_hz, accepted, refusals)


class _Child:
    """One child that reads WAVs, and what it has answered so far."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._process = _READY.pop() if _READY else _start("audio")
        self.answers: dict[int, Answer] = {}
        self._news = threading.Condition()
        self._count, self._ended, self._broken = 0, False, False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self.send([order])

    def send(self, lines: Sequence[Any]) -> None:
        stream = self._process.stdin
        assert stream is not None  # it was opened as a pipe
        try:
            for line in lines:
                stream.write(json.dumps(line).encode() + b"\n")
            stream.flush()
        except (BrokenPipeError, ValueError):
            return  # it has died; `finish` says of what

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # it was opened as a pipe
        while line := stream.readline(_MAX_LINE):
            try:
                number, answer = _answer(line)
            except (ValueError, TypeError):
                self._broken = True
                self._process.kill()
                break
            with self._news:
                self.answers.setdefault(number, answer)
                self._count += 1
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def take(self, number: int) -> Answer | None:
        """Wait for one answer; None when the child has ended without it. Raises MachineError (I_READER)."""
        self._wait(lambda: number in self.answers)
        return self.answers.pop(number, None)

    def finish(self) -> Refusal:
        """Wait until all is answered or the child is dead; returns what to say of a file that it died of. Raises
        MachineError (I_READER) when something outside ended it."""
        assert self._process.stdin is not None  # it was opened as a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._wait(lambda: False)
        status = self._process.wait()
        return Refusal("E_READ_CRASH", what="nonsense") if self._broken else _death(status) if status else _death(1)

    def _wait(self, enough: Callable[[], bool]) -> None:
        """Until there is enough, or no more will come. Raises MachineError (I_READER) when nothing comes at all."""
        with self._news:
            while not (self._ended or enough()):
                before = self._count
                if not self._news.wait(_STALL_S) and before == self._count:
                    break
            stalled = not (self._ended or enough())
        if stalled:
            self.close()
            _stalled()

    def close(self) -> None:
        self._process.kill()
        self._thread.join()  # it reads until the child is gone; the pipe is closed behind it
        _end(self._process)


def _stalled() -> NoReturn:
    raise MachineError(
        f"nothing could be read for {_STALL_S} seconds", code="I_READER", hint="check the disk, then run it again"
    )


class WavReader:
    """Asks a child about WAVs, which is started with the first; where there are none, there is no child. A context
    manager.

    ``order`` says what to do with each; the answers are the same whatever the child's threads do.
    """

    def __init__(self, order: dict[str, Any], rules: AudioRules, limits: ReadLimits) -> None:
        self._order = {**order, "rules": asdict(rules), "limits": asdict(limits)}
        self._waiting: deque[list[Any]] = deque()  # requests whose answer was not taken yet, in order
        self._found: dict[int, Answer] = {}  # answers to some of them
        self._asked = self._broken = 0
        self._given_up: Refusal | None = None
        self._child: _Child | None = None

    def __enter__(self) -> WavReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            self._child.close()

    def ask(self, requests: Sequence[Sequence[Any]]) -> None:
        """Start on these; each is one line for the child behind its number."""
        numbered = [[number, *request] for number, request in enumerate(requests, self._asked)]
        self._asked += len(numbered)
        self._waiting += numbered
        if self._given_up is not None or not numbered:
            return
        if self._child is None:
            self._child = _Child(self._order)
        self._child.send(numbered)

    def answers(self) -> list[Answer]:
        """One answer a request, in order, after waiting for all. Raises MachineError (I_READER)."""
        return [self.take() for _ in range(len(self._waiting))]

    def take(self) -> Answer:
        """The answer to the first request that has not been answered to the caller. Raises MachineError (I_READER)."""
        number = self._waiting[0][0]
        while number not in self._found:
            if self._given_up is not None:
                self._found[number] = _refused(self._given_up)
                break
            assert self._child is not None  # something was asked
            answer = self._child.take(number)
            if answer is None or answer.broke_off:
                self._settle()
            else:
                self._found[number] = answer
        self._waiting.popleft()
        return self._found.pop(number)

    def _settle(self) -> None:
        """A file has broken the child, or a thread of it: find out which one, and go on with the others."""
        assert self._child is not None  # it has broken
        death = self._child.finish()
        self._found |= {number: each for number, each in self._child.answers.items() if not each.broke_off}
        unread = [request for request in self._waiting if request[0] not in self._found]
        if self._broken >= _MAX_BROKEN:
            self._given_up = death
            return
        # Two threads take the requests in order, so it died of one of the first two that have no answer.
        for request in unread[:2]:
            self._found[request[0]] = self._alone(request)
            self._broken += self._found[request[0]].broke_off
        self._restart(unread[2:])

    def _alone(self, request: list[Any]) -> Answer:
        """What becomes of one file that nothing else is read beside."""
        child = self._restart([request])
        death = child.finish()
        return child.answers.get(request[0]) or _refused(death)

    def _restart(self, requests: Sequence[Any]) -> _Child:
        self.close()
        self._child = _Child(self._order)
        self._child.send(requests)
        return self._child


def _refused(refusal: Refusal) -> Answer:
    return Answer(None, 0.0, 0, False, (refusal,))
