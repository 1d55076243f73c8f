"""Whether an engine has been there without a break: a connection that it keeps open as long as it lives.

An engine that stops ends its containers, and one that has been started again tells of them as if they had ended by
themselves. Only the break in between says that it was not the program's doing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import MachineError

# Events of a container that cannot be: nothing is ever sent, and the answer ends with the engine.
_REQUEST = (
    b"GET /events?filters=%7B%22container%22%3A%5B%22humdial-none%22%5D%7D HTTP/1.1\r\n"
    b"Host: engine\r\nConnection: close\r\n\r\n"
)
_CONNECT_S = 10.0


@contextmanager
def unbroken(address: str) -> Iterator[Callable[[], bool]]:
    """A question that can be asked inside the block: has the engine at ``address`` been there since it began?

    For an engine at another kind of address than a unix socket the answer is always yes.

    Raises MachineError (I_ENGINE) when it does not answer.
    """
    kind, _, path = address.partition("://")
    if kind != "unix":
        yield lambda: True
        return
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.settimeout(_CONNECT_S)
            line.connect(path)
            line.sendall(_REQUEST)
        except OSError as error:
            raise MachineError(
                f"the container engine at {address} cannot be watched: {error.strerror or error}",
                code="I_ENGINE",
                hint="start Docker, and run again",
            ) from error
        line.setblocking(False)
        yield lambda: _still_open(line)


def _still_open(line: socket.socket) -> bool:
    try:
        while line.recv(4096):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
