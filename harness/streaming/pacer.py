"""One thread that keeps the time of many sessions: it sleeps until the next frame of any is due or somebody speaks."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from harness.streaming.session import Session

_PR_SET_TIMERSLACK = 29
_LONGEST_WAIT_S = 0.25
_SWITCH_S = 0.0005  # how long another thread may keep the interpreter from this one
Clock = Callable[[], float]


def pace(
    doors: Sequence[tuple[socket.socket, Session]],
    *,
    clock: Clock = time.monotonic,
    gone: Callable[[Session], bool] = lambda session: False,
) -> bool:
    """Run every session to its end; True when this thread had real-time scheduling.

    ``doors`` are listening sockets, each for the one participant of its session.

    ``gone`` is asked a few times a second whether a session that waits for its participant waits in vain.
    """
    with selectors.SelectSelector() as selector, _punctual() as real_time:
        for door, session in doors:
            door.setblocking(False)
            selector.register(door, selectors.EVENT_READ, (door, session))
        waiting = [session for _, session in doors]
        while waiting:
            first = min(session.next_due for session in waiting)
            ready = selector.select(max(0.0, min(first - clock(), _LONGEST_WAIT_S)))
            # Frames first, also between two that speak: what is due must not wait for what somebody else has said.
            first = _hand_over(waiting, clock)
            for key, _ in ready:
                if first <= clock():
                    first = _hand_over(waiting, clock)
                door, session = key.data
                if session.state is None:
                    _hear(selector, door, session, clock)
            for session in waiting:
                if session.state is None and session.peer is None and gone(session):
                    session.absent("the participant ended before it connected")
            over = [session for session in waiting if session.state is not None]
            if over:
                _forget(selector, over)
                waiting = [session for session in waiting if session.state is None]
    return real_time


def _hand_over(sessions: Sequence[Session], clock: Clock) -> float:
    """Do what is due; returns when the next thing is."""
    for session in sessions:
        if session.state is None and session.next_due <= clock():
            session.due(clock)
    return min((session.next_due for session in sessions if session.state is None), default=math.inf)


def _hear(selector: selectors.BaseSelector, door: socket.socket | None, session: Session, clock: Clock) -> None:
    if door is None:
        session.readable(clock)
        return
    with contextlib.suppress(BlockingIOError, ConnectionError):
        peer, _ = door.accept()
        selector.unregister(door)
        door.close()  # one connection, no second
        session.connected(peer, clock())
        if session.peer is not None and session.state is None:
            selector.register(session.peer, selectors.EVENT_READ, (None, session))


def _forget(selector: selectors.BaseSelector, sessions: Sequence[Session]) -> None:
    gone = {id(session) for session in sessions}
    for key in [key for key in selector.get_map().values() if id(key.data[1]) in gone]:
        selector.unregister(key.fileobj)
        door = key.data[0]
        if door is not None:
            door.close()


@contextlib.contextmanager
def _punctual() -> Iterator[bool]:
    """Ask the kernel for exact timers and, where we may, for a place before ordinary processes; no garbage collection
    in the middle. All of it is given back."""
    libc = ctypes.CDLL(None)
    collecting, interval = gc.isenabled(), sys.getswitchinterval()
    before = _real_time(True)
    with contextlib.suppress(AttributeError):
        libc.prctl(_PR_SET_TIMERSLACK, 1)
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield before
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()
        with contextlib.suppress(AttributeError):
            libc.prctl(_PR_SET_TIMERSLACK, 0)
        if before:
            _real_time(False)


def _real_time(wanted: bool) -> bool:
    """Round-robin real-time scheduling for this thread on or off; False where the system does not allow it."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    policy, priority = (os.SCHED_RR, 1) if wanted else (os.SCHED_OTHER, 0)
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True
