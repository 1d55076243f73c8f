"""What `humdial doctor` found on a machine: each line with one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Health = Literal["ok", "note", "wrong", "missing"]


@dataclass(frozen=True, slots=True)
class Check:
    """``health``: ok; a note to think about; wrong, so that runs that count should wait; or missing, so that nothing
    can run here at all. ``fix`` is one thing to do, empty when all is well."""

    name: str
    health: Health
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All checks in a fixed order. ``health`` is the worst of them."""

    schema_version: int
    health: Health
    checks: tuple[Check, ...]
    harness_version: str
