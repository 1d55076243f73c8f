"""Versions below which holes in the engine and its parts are known. Pure.

A version is a hint: distributions mend old ones without changing the number, and a new one may be set up badly. What
decides is the preflight; this list is for the record, for `humdial doctor`, and for sites that require it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# What: the lowest sound version of each line that is still mended; a later line is sound from its start.
FLOORS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "engine": ((29, 5, 1),),
    "runc": ((1, 2, 8), (1, 3, 3)),
    "nvidia-container-toolkit": ((1, 17, 8),),
    "cgroup": ((2,),),
}
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def numbers_of(version: str) -> tuple[int, ...] | None:
    """The leading numbers of a version (``20.10.24+dfsg1``: 20, 10, 24), or None when there are none."""
    found = _NUMBERS.search(version)
    return tuple(int(part) for part in found[0].split(".")) if found else None


def floor_text(what: str) -> str:
    """The floor of ``what`` for a person: ``1.2.8 or 1.3.3``."""
    return " or ".join(".".join(map(str, floor)) for floor in FLOORS[what])


def is_below(what: str, version: str) -> bool:
    """Whether ``version`` of ``what`` is older than its floor. A version that cannot be read is taken as older."""
    numbers = numbers_of(version)
    if numbers is None:
        return True
    for floor in sorted(FLOORS[what], reverse=True):
        if numbers[: len(floor) - 1] == floor[:-1]:  # of this line
            return numbers < floor
        if numbers > floor:
            return False
    return True


def below_floors(versions: Mapping[str, str]) -> tuple[str, ...]:
    """``name version`` of everything in ``versions`` that has a floor and is below it."""
    return tuple(f"{what} {versions[what]}" for what in FLOORS if what in versions and is_below(what, versions[what]))
