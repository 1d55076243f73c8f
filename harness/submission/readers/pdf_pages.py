"""Counts the pages of the PDF on standard input; run as a program of its own, because a hostile PDF may never end or
ask for any amount of memory. Prints one JSON object: {"pages": n}, {"encrypted": true} or {"error": "…"}.
"""

from __future__ import annotations

import contextlib
import json
import sys

_MEMORY_BYTES = 512 << 20
_CPU_S = 5
# What pypdf would import if it is there: to draw, to decrypt, to measure fonts. Pages are counted without, in half the
# time, and a hostile file meets less code.
_UNUSED = ("PIL", "cryptography", "Crypto", "fontTools")


def _limit() -> None:
    """Take those limits that the system has: macOS refuses that of memory, Windows has none. There the asker's time
    limit stands alone."""
    try:
        import resource
    except ImportError:
        return
    for name, value in {"RLIMIT_AS": _MEMORY_BYTES, "RLIMIT_CPU": _CPU_S, "RLIMIT_FSIZE": 0}.items():
        hard = value + 1 if name == "RLIMIT_CPU" else value  # the soft limit's signal says of what it ended
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, hard))


def _count() -> dict[str, object]:
    import logging

    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(_UNUSED))  # as if they were not installed
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.disable()
    try:
        reader = PdfReader(sys.stdin.buffer, strict=False)
    except DependencyError:  # it wanted to decrypt
        return {"encrypted": True}
    if reader.is_encrypted:
        return {"encrypted": True}
    return {"pages": sum(1 for _ in reader.pages)}


if __name__ == "__main__":
    _limit()
    try:
        answer = _count()
    except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001 - pypdf raises anything on broken files
        # pypdf wants another package only for one thing: to look into what is encrypted with AES.
        name = type(error).__name__
        answer = {"encrypted": True} if name == "DependencyError" else {"error": name}
    sys.stdout.write(json.dumps(answer))
