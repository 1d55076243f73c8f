"""reference/schemas: every document that stages and people exchange, a page each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from from_code.markdown import cell, code, table
from harness.resources import data_dir

SOURCE = "schemas/*/v1.schema.json"


def pages() -> dict[str, str]:
    found: dict[str, str] = {}
    rows = []
    for path in sorted(data_dir("schemas").glob("*/v*.schema.json")):
        name, schema = path.parent.name, json.loads(path.read_text("utf-8"))
        found[f"schemas/{name}.md"] = _page(name, schema)
        rows.append((f"[{name}](schemas/{name}.md)", cell(schema["title"])))
    found["schemas.md"] = (
        "# Schemas\n\nEach document has a hand-written JSON Schema (2020-12) in `schemas/`; `humdial schema show NAME` prints it, also"
        " from an installed package. The schema is the contract: what is written is checked against it.\n\n"
        + table(("document", "what it is"), rows)
        + "\n```{toctree}\n:hidden:\n:glob:\n\nschemas/*\n```\n"
    )
    return found


def _page(name: str, schema: dict[str, Any]) -> str:
    parts = [f"# {name}\n", cell(schema["title"]) + ".\n"]
    if text := schema.get("description"):
        parts.append(cell(text) + "\n")
    if name == "challenge":
        parts.append("Its keys have [a page of their own](../spec.md).\n")
        return "\n".join(parts)
    rows = list(_rows(schema, schema, ""))
    if rows:
        parts.append(table(("key", "always there", "value", "meaning"), rows))
    parts.append(f"\nThe schema itself: `humdial schema show {name}`.\n")
    return "\n".join(parts)


def _rows(part: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str, str]]:
    part = _resolved(part, schema)
    if not path:
        for variant in (*part.get("oneOf", ()), *part.get("anyOf", ())):
            yield from _rows(variant, schema, path)
    for key, inner in part.get("properties", {}).items():
        here = f"{path}.{key}" if path else key
        full = _resolved(inner, schema)
        needed = "yes" if key in part.get("required", ()) else ""
        yield code(here), needed, _kind(full), cell(full.get("description", ""))
        yield from _inside(full, schema, here)


def _inside(part: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str, str]]:
    yield from _rows(part, schema, path)
    for key, mark in (("additionalProperties", ".<name>"), ("items", "[]")):
        if isinstance(part.get(key), dict):
            yield from _inside(_resolved(part[key], schema), schema, path + mark)
    for variant in (*part.get("oneOf", ()), *part.get("anyOf", ())):
        yield from _inside(_resolved(variant, schema), schema, path)


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return {**schema["$defs"][part["$ref"].rpartition("/")[2]], **{k: v for k, v in part.items() if k != "$ref"}}
    return part


def _kind(part: dict[str, Any]) -> str:
    if "const" in part:
        return code(json.dumps(part["const"]))
    if "enum" in part:
        return ", ".join(code(json.dumps(each, ensure_ascii=False)) for each in part["enum"])
    kinds = part.get("type", "")
    return cell(" or ".join(kinds) if isinstance(kinds, list) else str(kinds))
