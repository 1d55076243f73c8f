"""A real-time participant in the standard library alone: it repeats what it heard once the user has paused.

It waits until the user has been silent for HUMDIAL_PAUSE_MS, then HUMDIAL_DELAY_MS more, and plays back what was said.
When the user speaks while it does, it takes the rest back and listens. Replace `Echo` by a dialogue system.
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
import sys
import time

HEADER = struct.Struct(">BBHI")
LOUD = 500  # a frame whose highest sample passes this is speech, full scale 32768


class Wire:
    """The connection: messages in, messages out."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def receive(self) -> tuple[int, bytes | dict]:
        """(index, 640 bytes) for a frame, (0, object) for a control message."""
        kind, _, length, index = HEADER.unpack(self.exactly(HEADER.size))
        payload = self.exactly(length)
        return (index, payload) if kind == ord("A") else (0, json.loads(payload))

    def frame(self, pcm: bytes, heard: int) -> None:
        self.socket.sendall(HEADER.pack(ord("A"), 0, len(pcm), heard) + pcm)

    def control(self, **message: object) -> None:
        payload = json.dumps(message).encode()
        self.socket.sendall(HEADER.pack(ord("J"), 0, len(payload), 0) + payload)


class Echo:
    """Remembers what the user says, and says it back after a pause."""

    def __init__(self, wire: Wire, pause_ms: int, delay_ms: int) -> None:
        self.wire, self.pause_frames, self.delay_s = wire, pause_ms // 20, delay_ms / 1000
        self.said: list[bytes] = []
        self.quiet = 0
        self.playing_until = 0.0

    def hear(self, index: int, pcm: bytes) -> None:
        arrived = time.monotonic()
        if max(map(abs, array.array("h", pcm))) > LOUD:
            if arrived < self.playing_until:
                self.wire.control(type="flush")
                self.playing_until = 0.0
            self.said.append(pcm)
            self.quiet = 0
        elif self.said:
            self.quiet += 1
            if self.quiet >= self.pause_frames:
                self.answer(index, arrived)

    def answer(self, index: int, arrived: float) -> None:
        time.sleep(max(0.0, arrived + self.delay_s - time.monotonic()))
        for pcm in self.said:
            self.wire.frame(pcm, index)
        self.playing_until = time.monotonic() + len(self.said) * 0.02
        self.said, self.quiet = [], 0


def main() -> int:
    wire = Wire(os.environ["HUMDIAL_STREAM"])
    pause, delay = (int(os.environ.get(name, "0")) for name in ("HUMDIAL_PAUSE_MS", "HUMDIAL_DELAY_MS"))
    system = None
    while True:
        index, message = wire.receive()
        if isinstance(message, bytes):
            system.hear(index, message)
        elif message["type"] == "hello":
            wire.control(type="ready", version=1)
        elif message["type"] == "start":
            system = Echo(wire, pause or 200, delay)
        elif message["type"] == "end":
            wire.control(type="done")
        else:
            return 0


if __name__ == "__main__":
    sys.exit(main())
