"""One participant's connection: what it is sent, what it sends, and how that ended. Never waits; the pacer calls it.

A participant that breaks the protocol fails its own session and nothing else: what is held for it is bounded by the
input's length and by ``ahead_s``, and a socket that it does not empty only costs it frames.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from harness.streaming.playout import Playout, frame_due_s
from harness.streaming.protocol import (
    FRAME_BYTES,
    FRAME_MS,
    FRAME_S,
    RATE_HZ,
    VERSION,
    Control,
    Decoder,
    Frame,
    ProtocolFault,
    encode_control,
    encode_frame,
)

StreamState = Literal[
    "completed",
    "not_connected",
    "not_ready",
    "malformed",
    "half_frame",
    "early",
    "flooded",
    "not_reading",
    "closed_early",
]
_READ_BYTES = 1 << 12  # at once: a few milliseconds of work even when it is nothing but tiny messages
_MESSAGES_A_FRAME = 4
_LEAD_S = 0.1  # between the word that an item starts and its first sample


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What a participant may do. Seconds; ``ahead_s`` is how much unheard audio may wait."""

    connect_s: float = 600.0
    ready_s: float = 600.0
    tail_s: float = 5.0
    ahead_s: float = 30.0
    unread_s: float = 2.0


@dataclass(slots=True)
class ItemRun:
    """One input as it was streamed. Times are seconds after its start; ``sent_s`` has one entry a frame, None where
    the participant's socket was full and the frame was lost."""

    item: str
    pcm: bytes
    playout: Playout = field(default_factory=Playout)
    sent_s: list[float | None] = field(default_factory=list)
    after_end: int = 0
    finished: bool = False

    @property
    def frames(self) -> int:
        """Whole frames of the input; what is left of a last one is filled with zeros."""
        return -(-len(self.pcm) // FRAME_BYTES)

    def frame(self, index: int) -> bytes:
        return self.pcm[index * FRAME_BYTES : (index + 1) * FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


class Session:
    """Feeds the items one after the other. ``next_due`` is when it wants to be called, in the pacer's clock.

    ``state`` is None while it goes on. ``why`` says in our words what was wrong.
    """

    def __init__(self, items: Iterator[ItemRun], limits: StreamLimits, now: float) -> None:
        self._items = items
        self._limits = limits
        self._decoder = Decoder()
        self._ahead_frames = int(limits.ahead_s / FRAME_S)
        self._socket: socket.socket | None = None
        self._item: ItemRun | None = None
        self._start = 0.0
        self._next = self._messages = 0
        self._unread_since: float | None = None
        self._pending = b""
        self._ready = False
        self.on_item: Callable[[ItemRun], None] = lambda run: None
        self.state: StreamState | None = None
        self.why = ""
        self.next_due = now + limits.connect_s

    @property
    def peer(self) -> socket.socket | None:
        return self._socket

    def connected(self, peer: socket.socket, now: float) -> None:
        """The participant is there: say hello, and wait for its word that it is ready (its models are loaded)."""
        peer.setblocking(False)
        self._socket = peer
        self.next_due = now + self._limits.ready_s
        hello = encode_control(
            "hello", version=VERSION, rate_hz=RATE_HZ, frame_ms=FRAME_MS, max_ahead_frames=self._ahead_frames
        )
        self._send(hello, now, keep=True)

    def absent(self, why: str) -> None:
        """Nobody will connect any more."""
        self._end("not_connected", why)

    def stop(self) -> None:
        """The harness itself ends it, if it has not ended."""
        self._end("closed_early", "the harness was stopped")

    def readable(self, now: Callable[[], float]) -> None:
        """Take what has come, a bounded piece of it; every message is stamped when it is read."""
        if self.state is not None or self._socket is None:
            return
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        stamp = now()
        if not data:
            self._closed()
            return
        try:
            for message in self._decoder.feed(data):
                self._take(message, stamp)
        except ProtocolFault as fault:
            self._end("malformed", str(fault))

    def due(self, now: Callable[[], float]) -> None:
        """Do what is to be done at ``next_due``."""
        if self._socket is None:
            self._end("not_connected", f"nobody connected within {self._limits.connect_s:g} s")
        elif not self._ready:
            self._end("not_ready", f"no ready message within {self._limits.ready_s:g} s")
        elif self._item is None or self._item.finished:
            self._begin(now())
        elif self._next < self._item.frames:
            self._send_frame(self._item, now)
        else:
            self._finish(now())

    def _begin(self, now: float) -> None:
        self._item = next(self._items, None)
        if self._item is None:
            self._send(encode_control("bye"), now, keep=True)
            self._end("completed", "")
            return
        self._next = self._messages = 0
        self._start = now + _LEAD_S
        self._send(encode_control("start", item=self._item.item, frames=self._item.frames), now, keep=True)
        self.next_due = self._start + frame_due_s(0)

    def _send_frame(self, item: ItemRun, now: Callable[[], float]) -> None:
        sent = self._send(encode_frame(Frame(self._next, item.frame(self._next))), now())
        stamp = now()
        item.sent_s.append(stamp - self._start if sent else None)
        self._next += 1
        if self._next < item.frames:
            self.next_due = self._start + frame_due_s(self._next)
            return
        self._send(encode_control("end", item=item.item), stamp, keep=True)
        self.next_due = stamp + self._limits.tail_s

    def _finish(self, now: float) -> None:
        assert self._item is not None
        self._item.finished = True
        self.on_item(self._item)
        self.next_due = now

    def _take(self, message: Frame | Control, now: float) -> None:
        item = self._item
        if self.state is not None:
            return
        self._messages += 1
        if self._messages > _MESSAGES_A_FRAME * self._next + self._ahead_frames:
            self._end("flooded", "far more messages than there is time to hear them")
        elif not self._ready:
            if isinstance(message, Control) and message.type == "ready":
                self._ready, self.next_due = True, now
            else:
                self._end("early", "the first message is not 'ready'")
        elif isinstance(message, Frame):
            self._take_frame(message, item, now)
        elif item is None or item.finished or message.type == "ready":
            self._end("early", f"{message.type!r} came while no item was going on")
        elif message.type == "flush":
            item.playout.flush(now - self._start)
        elif self._next == item.frames:
            self._finish(now)
        else:
            self._end("early", "'done' came before the item's end")

    def _take_frame(self, frame: Frame, item: ItemRun | None, now: float) -> None:
        if item is None or item.finished:
            self._end("early", "a frame came while no item was going on")
            return
        if frame.index >= self._next:
            self._end("early", "a frame answers an input frame that was not sent yet")
            return
        heard_s = now - self._start
        if heard_s >= item.frames * FRAME_S:
            item.after_end += 1
            return
        item.playout.add(heard_s, frame.pcm, frame.index)
        if item.playout.ahead_s(heard_s) > self._limits.ahead_s:
            self._end("flooded", f"more than {self._limits.ahead_s:g} s of audio wait to be heard")

    def _send(self, message: bytes, now: float, *, keep: bool = False) -> bool:
        """Send a message; False when the participant's socket is full. Then a frame is lost, so that nobody hears late
        what was said before, and a message to ``keep`` waits. Who never reads is let go."""
        if self._socket is None or self.state is not None:
            return False
        waiting = len(self._pending)
        data = self._pending + message
        try:
            sent = self._socket.send(data)
        except OSError:  # full, or nobody reads any more; what it still said is read before that ends the session
            sent = 0
        self._pending = data[sent:] if keep or sent > waiting else data[sent:waiting]
        if sent:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self._limits.unread_s:
            self._end("not_reading", f"nothing was read for {self._limits.unread_s:g} s")
        return sent > waiting

    def _closed(self) -> None:
        if self._decoder.unfinished_bytes:
            self._end("half_frame", "the connection ended in the middle of a message")
        else:
            self._end("closed_early", "the connection ended before the last item did")

    def _end(self, state: StreamState, why: str) -> None:
        if self.state is None:
            self.state, self.why = state, why
            if self._socket is not None:
                self._socket.close()
