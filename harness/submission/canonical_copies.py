"""Audio of strangers in our own form, made in one child process with limits: what is judged, measured and played.

No other process decodes such a file: it reads the canonical copies, of which it knows every byte of the header.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.challenge.spec import Challenge
from harness.documents.codes import all_codes
from harness.errors import HarnessError, MachineError, Refused
from harness.submission.canonical_audio import RATE_HZ, most_bytes, read_copy
from harness.submission.readers.apart import Answer, WavReader
from harness.submission.readers.refusal import Refusal, printable

if TYPE_CHECKING:
    from harness.submission.canonical_audio import Samples

_AHEAD = 16  # copies that wait to be heard, 12 MB each at most
Job = tuple[Path, Path, str | None]  # source, target, the digest that the source had when it was checked


@dataclass(frozen=True, slots=True)
class Recording:
    """A WAV of a stranger to hear at ``rate_hz``; ``sha256`` is the digest that it had when it was checked."""

    path: Path
    sha256: str | None = None
    rate_hz: int = RATE_HZ


def canonical_wavs(jobs: Sequence[Job], challenge: Challenge) -> list[str]:
    """Write the canonical copy of every source (16 kHz) to its target, by one child; returns the digests of what was
    written.

    Raises Refused (E_WAV_*, E_CHANGED, E_READ_*) for the first source that is refused or is not what was checked, and
    MachineError (I_DISK, I_READER).
    """
    with _reader(challenge, frozenset()) as reader:
        reader.ask([(str(source), str(target), RATE_HZ, sha256) for source, target, sha256 in jobs])
        return [_digest(source, reader.take()) for source, _, _ in jobs]


def canonical_digests(sources: Sequence[Path], challenge: Challenge, *, accepted: frozenset[str]) -> list[str | None]:
    """The digests that canonical copies of these would have, and None for each that is refused or cannot be read.
    Nothing is written. Raises MachineError (I_READER)."""
    with _reader(challenge, accepted) as reader:
        reader.ask([(str(source), None, RATE_HZ, None) for source in sources])
        return [reader.take().sha256 for _ in sources]


class Recordings:
    """Hears one WAV after the other through one child, which is started with the first; of the copies at most
    ``_AHEAD`` are on the disk at a time, in a folder that nobody else can look into. A context manager.

    ``accepted`` names E_WAV_* codes that refuse nothing here: a silent output is a fact of Track 2, no fault of a file.
    """

    def __init__(self, challenge: Challenge, *, accepted: frozenset[str] = frozenset()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="humdial-audio-")
        self._reader = _reader(challenge, accepted)
        self._max_bytes = most_bytes(challenge.audio)
        self._waiting: deque[tuple[Recording, Path]] = deque()
        self._asked = 0

    def __enter__(self) -> Recordings:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child and remove what it left."""
        self._reader.close()
        self._folder.cleanup()

    def samples(self, recording: Recording) -> Samples:
        """Mono samples of one, shape (n,). Raises as `each`."""
        (found,) = self.each([recording])
        return found

    def each(self, recordings: Iterable[Recording]) -> Iterator[Samples]:
        """Mono samples of each, shape (n,), in order.

        Raises Refused (E_WAV_*, E_CHANGED, E_READ_*) for one that is refused or is not what was checked, and
        MachineError (I_DISK, I_READER).
        """
        while self._waiting:  # what an earlier caller asked for and did not wait for
            self._reader.take()
            self._waiting.popleft()[1].unlink(missing_ok=True)
        for recording in recordings:
            self._ask(recording)
            if len(self._waiting) > _AHEAD:
                yield self._take()
        while self._waiting:
            yield self._take()

    def _ask(self, recording: Recording) -> None:
        copy = Path(self._folder.name) / f"{self._asked}.wav"
        self._asked += 1
        self._reader.ask([(str(recording.path), str(copy), recording.rate_hz, recording.sha256)])
        self._waiting.append((recording, copy))

    def _take(self) -> Samples:
        recording, copy = self._waiting.popleft()
        try:
            _digest(recording.path, self._reader.take())
            return read_copy(copy, recording.rate_hz, self._max_bytes)
        except Refusal as refusal:
            raise _failed(recording.path, refusal) from refusal
        except OSError as error:
            raise MachineError(
                f"a copy of {printable(recording.path.name)} cannot be read: {error.strerror}",
                code="I_DISK",
                hint="free space and run the same command again",
            ) from error
        finally:
            copy.unlink(missing_ok=True)


def _reader(challenge: Challenge, accepted: frozenset[str]) -> WavReader:
    order = {"do": "rewrite", "accepted": sorted(accepted), "file_bytes": most_bytes(challenge.audio)}
    return WavReader(order, challenge.audio, challenge.read_limits)


def _digest(source: Path, answer: Answer) -> str:
    if answer.sha256 is None:
        raise _failed(source, answer.problems[0])
    return answer.sha256


def _failed(source: Path, problem: Refusal) -> HarnessError:
    code = problem.code
    if code == "I_DISK":
        return MachineError(str(problem.values["what"]), code=code, hint="free space and run the same command again")
    entry = all_codes()[code]
    said = entry.message.format_map(problem.values)
    return Refused(
        f"{printable(source.name)} cannot be heard: {said}", code=code, hint=entry.hint.format_map(problem.values)
    )
