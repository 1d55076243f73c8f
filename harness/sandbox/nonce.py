"""Names for containers that nobody can guess, and that tell which evaluation they belong to.

A killed process leaves its containers running. The next one finds them by the nonce that we put on them as a label;
what an image writes on itself is not looked at.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_run: ContextVar[str] = ContextVar("run", default="")


def new_nonce() -> str:
    """A nonce for one container; it begins with the nonce of the evaluation that it belongs to, if to any."""
    own = secrets.token_hex(8)
    return f"{_run.get()}-{own}" if _run.get() else own


@contextmanager
def containers_of(run: str) -> Iterator[None]:
    """Containers made inside the block belong to the evaluation with the nonce ``run`` (letters and digits)."""
    before = _run.set(run)
    try:
        yield
    finally:
        _run.reset(before)
