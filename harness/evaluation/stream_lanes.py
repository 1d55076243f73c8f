"""The containers of a stream, one a lane: started, kept beside the pacer, and what became of each."""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from harness.documents.run_record import Fault, OutputFile
from harness.documents.stream_record import StreamedItem, StreamEnd
from harness.errors import MachineError
from harness.sandbox import ContainerOutcome, Engine, Mount, Profile, run_container
from harness.streaming import ItemRun, Session, StreamLimits, pace
from harness.streaming.measure import lateness_s, streamed_item
from harness.streaming.protocol import RATE_HZ

SOCKET_FOLDER = "/stream"
_Finished = Callable[[ItemRun], None]


@dataclass(slots=True)
class Lane:
    """One container and its stream."""

    session: Session
    door: socket.socket
    folder: Path
    names: Sequence[str]
    deadline_s: float
    outcome: ContainerOutcome | None = None
    error: Exception | None = None
    thread: threading.Thread | None = None

    def gone(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


class Results:
    """Writes what was streamed, in a thread of its own: the one that keeps the time waits for no disk. A context
    manager that ends when all is written; raises MachineError (I_DISK)."""

    def __init__(self, folder: Path, names: dict[str, str]) -> None:
        self._folder, self._names = folder, names
        self._writer = ThreadPoolExecutor(1)
        self._writing: list[Future[StreamedItem]] = []
        self.lateness: list[float] = []
        self.items: dict[str, StreamedItem] = {}

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown()
        try:
            self.items = {item.item: item for item in (each.result() for each in self._writing)}
        except OSError as error:
            raise MachineError(
                f"an output cannot be written: {error.strerror}", code="I_DISK", hint="free space and run it again"
            ) from error

    def take(self, run: ItemRun) -> None:
        """One finished item."""
        self.lateness.extend(lateness_s(run))
        self._writing.append(self._writer.submit(self._write, run))

    def _write(self, run: ItemRun) -> StreamedItem:
        file = self._names[run.item]
        return streamed_item(run, file, _write_wav(self._folder, file, run))


def make_lane(
    share: Sequence[str], pcm: dict[str, Path], folder: Path, limits: StreamLimits, finished: _Finished
) -> Lane:
    folder.mkdir(mode=0o711)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o666)
    door.listen(1)
    session = Session(_items(share, pcm), limits, time.monotonic())
    session.on_item = finished
    return Lane(session, door, folder, share, _longest_s([pcm[name] for name in share], limits))


def _longest_s(wavs: Sequence[Path], limits: StreamLimits) -> float:
    """When a stream must be over, whatever the participant does: our pace decides that, not the limits of a run."""
    audio_s = sum(path.stat().st_size for path in wavs) / (2 * RATE_HZ)
    return limits.connect_s + limits.ready_s + audio_s + len(wavs) * (limits.tail_s + 1) + 60


def _items(share: Sequence[str], pcm: dict[str, Path]) -> Iterator[ItemRun]:
    """Read one input at a time: memory stays flat however many there are."""
    for name in share:
        with wave.open(str(pcm[name]), "rb") as wav:
            yield ItemRun(name, wav.readframes(wav.getnframes()))


def run_lanes(engine: Engine, image_id: str, profile: Profile, lanes: Sequence[Lane]) -> bool:
    """Run every lane to its end; True when the pacer had real-time scheduling."""
    over = {id(lane.session): lane for lane in lanes}
    for lane in lanes:
        own = replace(profile, nonce=secrets.token_hex(8), mounts=(Mount(lane.folder.resolve(), SOCKET_FOLDER),))
        lane.thread = threading.Thread(target=_container, args=(engine, image_id, own, lane), daemon=True)
        lane.thread.start()
    try:
        return pace([(lane.door, lane.session) for lane in lanes], gone=lambda session: over[id(session)].gone())
    finally:
        for lane in lanes:
            lane.session.stop()
        for lane in lanes:
            if lane.thread is not None:
                lane.thread.join()


def _container(engine: Engine, image_id: str, profile: Profile, lane: Lane) -> None:
    def over() -> str | None:
        return "the stream is over" if lane.session.state is not None else None

    try:
        lane.outcome = run_container(engine, profile, image_id, deadline_s=lane.deadline_s, watch=over)
    except Exception as error:  # noqa: BLE001 - a thread's end is nobody's word: it must not look like the participant's
        lane.error = error


def lane_end(lane: Lane, taken: dict[str, StreamedItem]) -> StreamEnd:
    """What became of a lane, ``taken`` being what was streamed. A bug in its thread is raised here."""
    if lane.error is not None and not isinstance(lane.error, MachineError):
        raise lane.error
    state, fault, why = _end(lane)
    return StreamEnd(state, fault, why, len(lane.names), sum(name in taken for name in lane.names))


def _end(lane: Lane) -> tuple[str, Fault, str]:
    """How one lane ended: our side's failures first, then the engine's word, then the session's."""
    outcome, state, error = lane.outcome, lane.session.state, lane.error
    if isinstance(error, MachineError):
        return "infrastructure", "infrastructure", f"{error} [{error.code}]"
    if outcome is not None and not outcome.started:
        return "start_failed", "unclear" if outcome.start_unclear else "submission", "the program could not be started"
    if outcome is not None and outcome.oom_killed and state != "completed":
        return "out_of_memory", "submission", "a process was ended for memory"
    if state == "completed":
        return "completed", "none", ""
    return str(state), "submission", lane.session.why


def worst_end(ends: Sequence[StreamEnd]) -> StreamEnd:
    order = ("infrastructure", "unclear", "submission", "none")
    return min(ends, key=lambda end: order.index(end.fault))


def output_name(file: str) -> str:
    """The output's path for an input's: test/a.wav → test/a_output.wav."""
    return Path(file).with_name(f"{Path(file).stem}_output.wav").as_posix()


def _write_wav(folder: Path, file: str, run: ItemRun) -> OutputFile:
    """The time-aligned WAV: as long as the input, sample 0 is the input's start."""
    name = output_name(file)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(run.playout.render(len(run.pcm) // 2))
    data = path.read_bytes()
    return OutputFile(name, len(data), hashlib.sha256(data).hexdigest())
