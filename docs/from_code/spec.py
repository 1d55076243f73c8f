"""reference/spec.md: every key of a challenge spec from its schema, with what the built-in challenge says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness.challenge as challenge_room
from from_code.markdown import cell, code, table
from harness.resources import data_dir

SOURCE = "schemas/challenge/v1.schema.json and harness/challenge/specs/humdial-2026.toml"
_MANY = 4


def pages() -> dict[str, str]:
    schema = json.loads((data_dir("schemas") / "challenge" / "v1.schema.json").read_text("utf-8"))
    built_in = Path(challenge_room.__file__).parent / "specs" / "humdial-2026.toml"
    values = tomllib.loads(built_in.read_text("utf-8"))
    parts = [
        "# Keys of a challenge spec\n",
        "A challenge is one TOML file, and only it can change a score. `humdial challenge show` prints the one in force,"
        " `humdial challenge check FILE` checks one of your own. `<id>` stands for a name of your choice, `[]` for each"
        " entry of a list. The last column is what the built-in challenge says.\n",
    ]
    top = [(name, part) for name, part in schema["properties"].items() if "properties" not in _resolved(part, schema)]
    plain = [(name, part) for name, part in top if not list(_keys(part, schema, name))]
    parts.append(_table("The challenge", plain, schema, values))
    for name, part in schema["properties"].items():
        rows = list(_keys(part, schema, name))
        if rows:
            parts.append(_table(f"`{name}`", [(name, part), *rows], schema, values))
    return {"spec.md": "\n".join(parts)}


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return {**schema["$defs"][part["$ref"].rpartition("/")[2]], **part}
    return part


def _keys(part: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key below ``part``, outermost first."""
    part = _resolved(part, schema)
    for name, inner in part.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from _keys(inner, schema, f"{path}.{name}")
    for key, mark in (("additionalProperties", ".<id>"), ("items", "[]")):
        if isinstance(part.get(key), dict):
            yield from _keys(part[key], schema, path + mark)


def _table(title: str, keys: list[tuple[str, dict[str, Any]]], schema: dict[str, Any], values: dict[str, Any]) -> str:
    rows = []
    for path, part in keys:
        if not part.get("description"):
            raise ValueError(f"{path} of the challenge spec has no description in its schema")
        rows.append((code(path), _kind(_resolved(part, schema)), cell(part["description"]), _values(path, values)))
    return f"## {title}\n\n" + table(("key", "value", "meaning", "humdial-2026"), rows)


def _kind(part: dict[str, Any]) -> str:
    if "const" in part:
        return code(part["const"])
    if "enum" in part:
        return ", ".join(code(each) for each in part["enum"])
    bounds = [
        f"{sign} {part[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if key in part
    ]
    kind = {"object": "table", "array": "list"}.get(part.get("type", ""), part.get("type", "any"))
    return cell(" ".join([str(kind), *bounds]))


def _values(path: str, values: dict[str, Any]) -> str:
    """What the built-in challenge says there, when that is short enough to show."""
    found = list(_found(path.replace("[]", ".[]").split("."), values))
    shown = list(dict.fromkeys(_short(each) for each in found))
    if not shown or any(each is None for each in shown) or len(shown) > _MANY:
        return ""
    return ", ".join(code(each) for each in shown)


def _found(steps: list[str], value: Any) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, *rest = steps
    inner = (
        list(value.values())
        if step == "<id>" and isinstance(value, dict)
        else value
        if step == "[]" and isinstance(value, list)
        else [value[step]]
        if isinstance(value, dict) and step in value
        else []
    )
    for each in inner:
        yield from _found(rest, each)


def _short(value: Any) -> str | None:
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict | list) for each in value)):
        return None
    text = value.isoformat() if hasattr(value, "isoformat") else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else None
