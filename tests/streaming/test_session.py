"""Real sockets, real time, participants of every kind: each bad one ends in its own state, the good one is unharmed."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.streaming import ItemRun, Session, StreamLimits, pace
from harness.streaming.protocol import FRAME_BYTES, encode_control, encode_frame
from harness.streaming.protocol import Frame as WireFrame

LOUD = struct.pack("<320h", *[4000] * 320)
READY = encode_control("ready", version=1)
LIMITS = StreamLimits(connect_s=10, ready_s=2, tail_s=0.3, ahead_s=3.0, unread_s=0.5)
Participant = Callable[[socket.socket], None]


def messages(peer: socket.socket) -> Iterator[tuple[str, int, bytes]]:
    """(kind, index, payload) until the connection ends."""
    with peer.makefile("rb") as stream:
        while len(header := stream.read(8)) == 8:
            kind, _, length, index = struct.unpack(">BBHI", header)
            yield chr(kind), index, stream.read(length)


def good(peer: socket.socket) -> None:
    """Answers frame 25 with ten frames, and says when it is done."""
    for kind, index, payload in messages(peer):
        if kind == "A" and index == 25:
            peer.sendall(encode_frame(WireFrame(25, LOUD)) * 10)
        elif kind == "J":
            type_ = json.loads(payload)["type"]
            if type_ == "hello":
                peer.sendall(READY)
            elif type_ == "end":
                peer.sendall(encode_control("done"))


def after_start(*pieces: bytes, times: int = 1) -> Participant:
    """Plays along until the first frame has come, then sends ``pieces`` and goes on reading."""

    def participant(peer: socket.socket) -> None:
        for kind, index, payload in messages(peer):
            if kind == "J" and json.loads(payload)["type"] == "hello":
                peer.sendall(READY)
            if kind == "A" and index == 0:
                for _ in range(times):
                    peer.sendall(b"".join(pieces))

    return participant


def never_reads(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.sendall(READY)
    while peer.fileno() >= 0:
        try:
            peer.send(b"")
        except OSError:
            return
        threading.Event().wait(0.05)


def leaves_after(data: bytes) -> Participant:
    """Sends ``data`` on the first frame, and closes."""

    def participant(peer: socket.socket) -> None:
        for kind, _, payload in messages(peer):
            if kind == "A":
                peer.sendall(data)
                return
            if json.loads(payload)["type"] == "hello":
                peer.sendall(READY)

    return participant


def speaks_first(peer: socket.socket) -> None:
    peer.sendall(FRAME0)
    stalls(peer)


def stalls(peer: socket.socket) -> None:
    """Reads hello and never says that it is ready."""
    for _ in messages(peer):
        pass


FRAME0 = encode_frame(WireFrame(0, LOUD))
BAD: dict[str, tuple[str, Participant]] = {
    "floods with sound": ("flooded", after_start(FRAME0 * 50, times=200)),
    "floods with silence": ("flooded", after_start(encode_frame(WireFrame(0, bytes(FRAME_BYTES))) * 50, times=200)),
    "floods with flushes": ("flooded", after_start(encode_control("flush") * 50, times=200)),
    "answers the future": ("early", after_start(encode_frame(WireFrame(4000, LOUD)))),
    "is ready twice": ("early", after_start(READY)),
    "is done at once": ("early", after_start(encode_control("done"))),
    "speaks before it is ready": ("early", speaks_first),
    "sends garbage": ("malformed", after_start(b"GET / HTTP/1.0\r\n\r\n")),
    "sends half a frame": ("half_frame", leaves_after(encode_frame(WireFrame(0, LOUD))[:300])),
    "sends frames of another size": ("malformed", after_start(struct.pack(">BBHI", 65, 0, 320, 0) + bytes(320))),
    "closes early": ("closed_early", leaves_after(b"")),
    "stalls": ("not_ready", stalls),
    "never reads": ("not_reading", never_reads),
}


class Stage:
    """Doors and participants around one call of ``pace``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.doors: list[tuple[socket.socket, Session]] = []
        self.runs: dict[str, list[ItemRun]] = {}
        self.threads: list[threading.Thread] = []

    def enter(self, name: str, participant: Participant | None, *, seconds: float = 1.2, items: int = 1) -> Session:
        path = self.folder / str(len(self.doors))
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(path))
        door.listen(1)
        inputs = iter([ItemRun(f"item-{number}", bytes(round(32000 * seconds))) for number in range(items)])
        session = Session(inputs, LIMITS, time.monotonic())
        self.runs[name] = []
        session.on_item = self.runs[name].append
        self.doors.append((door, session))
        if participant is not None:
            thread = threading.Thread(target=self._play, args=(path, participant), daemon=True)
            self.threads.append(thread)
            thread.start()
        return session

    def _play(self, path: Path, participant: Participant) -> None:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))
            try:
                participant(peer)
            except OSError:
                return

    def run(self) -> None:
        pace(self.doors)
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("s"))


def test_every_bad_participant_ends_in_its_own_state_and_the_good_one_is_unharmed(stage: Stage) -> None:
    fine = stage.enter("good", good, seconds=4, items=1)
    bad = {name: (state, stage.enter(name, participant, seconds=6)) for name, (state, participant) in BAD.items()}
    stage.run()
    assert {name: session.state for name, (_, session) in bad.items()} == {name: s for name, (s, _) in bad.items()}
    assert all(session.why for _, session in bad.values())
    assert fine.state == "completed", fine.why
    (run,) = stage.runs["good"]
    assert (run.playout.frames, run.playout.late, run.after_end) == (10, 0, 0)
    assert None not in run.sent_s and len(run.sent_s) == 200
    (stretch,) = run.playout.stretches
    # Where it was received: after frame 25 was handed over at 0.52 s, and nowhere before.
    assert stretch.received_s >= 0.52 and stretch.start == round(stretch.received_s * 16000)
    assert run.playout.render(64000).count(struct.pack("<h", 4000)) >= 3200


def test_several_inputs_one_after_the_other(stage: Stage) -> None:
    session = stage.enter("good", good, seconds=0.7, items=3)
    stage.run()
    assert session.state == "completed"
    assert [run.item for run in stage.runs["good"]] == ["item-0", "item-1", "item-2"]
    assert all(len(run.playout.stretches) == 1 for run in stage.runs["good"])


def test_frames_after_the_end_are_counted_and_not_heard(stage: Stage) -> None:
    def too_late(peer: socket.socket) -> None:
        for kind, _, payload in messages(peer):
            if kind == "J":
                type_ = json.loads(payload)["type"]
                if type_ == "hello":
                    peer.sendall(READY)
                elif type_ == "end":
                    threading.Event().wait(0.05)
                    peer.sendall(FRAME0 * 3 + encode_control("done"))

    session = stage.enter("late", too_late, seconds=0.4)
    stage.run()
    assert session.state == "completed"
    (run,) = stage.runs["late"]
    assert (run.after_end, run.playout.frames) == (3, 0)


def test_nobody_connects(tmp_path: Path) -> None:
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "s"))
    door.listen(1)
    session = Session(iter([ItemRun("a", bytes(640))]), LIMITS, time.monotonic())
    pace([(door, session)], gone=lambda session: True)
    assert session.state == "not_connected"
    assert "before it connected" in session.why


def test_what_is_held_for_a_flooder_is_bounded(stage: Stage) -> None:
    session = stage.enter("flood", after_start(FRAME0 * 50, times=2000), seconds=6)
    stage.run()
    item = session._item
    assert session.state == "flooded" and item is not None
    assert len(item.playout._placed) <= LIMITS.ahead_s / 0.02 + 60
