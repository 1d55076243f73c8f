"""The closed list of codes: every finding, flag and run code with its text, its hint and two examples.

The list is data: one TOML file a room beside this module. `humdial explain CODE` prints an entry, and a test fails
when code uses a name that is not here, or an entry lacks an example that a test runs.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from harness.documents.finding import Finding, Severity
from harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Code:
    """One rule. ``message`` and ``hint`` may hold {placeholders}; ``bad`` and ``good`` are short examples."""

    code: str
    severity: Severity
    title: str
    message: str
    hint: str
    bad: str
    good: str


@cache
def all_codes() -> dict[str, Code]:
    """Every code, sorted by name."""
    found: dict[str, Code] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"code {name} stands twice in the registry")
            found[name] = Code(code=name, **entry)
    return dict(sorted(found.items()))


def lookup(code: str) -> Code:
    """One code. Raises UsageError (E_USAGE) for a name that is not in the list."""
    try:
        return all_codes()[code]
    except KeyError as error:
        near = get_close_matches(code, all_codes(), n=1)
        suggestion = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"there is no code {code!r}{suggestion}",
            code="E_USAGE",
            hint="`humdial explain` without a code lists them all",
        ) from error


def finding(
    code: str,
    *,
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
    pointer: str | None = None,
    severity: Severity | None = None,
    **values: object,
) -> Finding:
    """A Finding whose message and hint come from the registry, placeholders filled from ``values`` in one pass."""
    entry = all_codes()[code]
    return Finding(
        code=code,
        severity=severity or entry.severity,
        message=entry.message.format_map(values),
        hint=entry.hint.format_map(values),
        file=file,
        line=line,
        column=column,
        pointer=pointer,
    )
