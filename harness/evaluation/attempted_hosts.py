"""Which hosts a program without a network says it tried to reach, read from its log."""

from __future__ import annotations

import re
from pathlib import Path

_SHOWN = 5
_READ = 5 * 1024 * 1024
_HOST = r"([A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,})"
# Words that stand near a host's name when a look-up or a connection failed, in the usual libraries.
_PATTERNS = (
    re.compile(rf"host=['\"]{_HOST}['\"]"),
    re.compile(
        rf"(?:resolve|resolving|reach|connect(?:ing)? to|lookup|download(?:ing)?)[^\n]{{0,60}}?(?:https?://)?{_HOST}"
    ),
    re.compile(rf"https?://{_HOST}"),
)
_FAILED = re.compile(
    r"name resolution|name or service not known|getaddrinfo|network is unreachable|max retries exceeded|"
    r"could not resolve|couldn't connect|connection error|connectionerror|no address associated|offline mode",
    re.IGNORECASE,
)


def attempted_hosts(log: Path) -> tuple[tuple[str, ...], bool]:
    """The hosts in lines near a failed look-up, at most 5, and whether any look-up failed at all."""
    try:
        with log.open("rb") as stream:
            lines = stream.read(_READ).decode("utf-8", "replace").splitlines()
    except OSError:
        return (), False
    failed = [number for number, line in enumerate(lines) if _FAILED.search(line)]
    near = {other for number in failed for other in range(number - 3, number + 4) if 0 <= other < len(lines)}
    hosts: dict[str, None] = {}
    for number in sorted(near):
        for pattern in _PATTERNS:
            hosts |= {found.lower().rstrip("."): None for found in pattern.findall(lines[number][:2000])}
    return tuple(hosts)[:_SHOWN], bool(failed)
