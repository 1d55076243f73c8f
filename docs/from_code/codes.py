"""reference/codes: every code, a page a room."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import harness.documents.codes as registry
from from_code.markdown import cell, code, fence, table

SOURCE = "harness/documents/codes/*.toml"
KINDS = {
    "E": "an error: what was handed in is not accepted, or what was asked cannot be done",
    "W": "a warning: accepted, and worth a look",
    "I": "the machine or our side; safe to retry, nobody is to blame",
    "R": "a reason why an item was not marked as usual",
    "F": "a flag for a person; no score depends on it",
}


def pages() -> dict[str, str]:
    rooms = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in _files()}
    found = {f"codes/{room}.md": _page(room, sorted(entries)) for room, entries in rooms.items() if entries}
    rows = [
        (f"[{name}](codes/{room}.md#{name.lower().replace('_', '-')})", entry["severity"], cell(entry["title"]))
        for room, entries in rooms.items()
        for name, entry in entries.items()
    ]
    counted = Counter(name.partition("_")[0] for entries in rooms.values() for name in entries)
    kinds = [(code(f"{kind}_…"), cell(KINDS[kind]), str(n)) for kind, n in sorted(counted.items())]
    found["codes.md"] = (
        "# Codes\n\nEvery finding, flag and failure has a name from this closed list. `humdial explain CODE` prints an entry.\n\n"
        + table(("begins with", "what it is", "how many"), kinds)
        + "\n"
        + table(("code", "severity", "what it says"), sorted(rows))
        + "\n```{toctree}\n:hidden:\n:glob:\n\ncodes/*\n```\n"
    )
    return found


def _files() -> list[Path]:
    return sorted(Path(registry.__file__).parent.glob("*.toml"))


def _page(room: str, names: list[str]) -> str:
    parts = [f"# Codes: {room}\n"]
    for name in names:
        entry = registry.lookup(name)
        parts.append(f"({name.lower().replace('_', '-')})=\n## {name}\n")
        parts.append(f"**{cell(entry.title)}** ({entry.severity})\n")
        parts.append(f"Message: {code(entry.message)}\n")
        parts.append(f"What to do: {cell(entry.hint)}\n")
        parts.append("Bad:\n\n" + fence(entry.bad, "text"))
        parts.append("Good:\n\n" + fence(entry.good, "text"))
    return "\n".join(parts)
