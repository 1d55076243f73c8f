"""A parsed value against one of our JSON Schemas: all errors, each with a code and a JSON pointer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.resources import schema_path
from harness.submission.readers.refusal import Refusal, quoted

_TYPE_KINDS = frozenset({"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One disagreement: ``path`` leads to the offending value, ``refusal`` says what is wrong with it."""

    path: tuple[str | int, ...]
    refusal: Refusal

    @property
    def pointer(self) -> str:
        return json_pointer(self.path)


def json_pointer(path: Iterable[str | int]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def schema_errors(document: str, value: Any) -> list[SchemaError]:
    """Every error of ``value`` against the schema of ``document``, in a stable order. Integers must be written as
    integers: 1.0 is none."""
    validator, value = _validator(document), _clipped(_long_arrays(document), value)
    errors = [] if validator.is_valid(value) else [_error(document, error) for error in validator.iter_errors(value)]
    for path in _float_integers(_integer_places(document), value, ()):
        what = f"{json_pointer(path)} must be written as an integer"
        errors.append(SchemaError(path, Refusal("E_SCHEMA_TYPE", what=what, schema=document)))
    if len(errors) < 2:
        return errors
    return sorted(errors, key=lambda error: (error.pointer, error.refusal.code, str(error.refusal.values)))


def property_names(document: str, *path: str) -> tuple[frozenset[str], frozenset[str]]:
    """The known keys of the object schema at ``path``, and those of them that are read past (x-ignored)."""
    node = _schema(document)
    for part in path:
        node = node[part]
    properties: dict[str, dict[str, Any]] = node["properties"]
    ignored = frozenset(name for name, schema in properties.items() if schema.get("x-ignored"))
    return frozenset(properties), ignored


@cache
def _schema(document: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schema_path(document).read_text("utf-8"))
    return loaded


@cache
def _validator(document: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(_schema(document))


def _error(document: str, error: Any) -> SchemaError:
    kind, path = error.kind.name, tuple(error.instance_path)
    place = json_pointer(path) or "the value"
    if kind == "required":
        name = quoted(error.kind.property.strip('"'))
        where = f" in {json_pointer(path)}" if path else ""
        return SchemaError(path, Refusal("E_SCHEMA_MISSING", name=name + where, schema=document))
    if kind in _TYPE_KINDS:
        what = f"{place} must be {_wanted(error)}"
        return SchemaError(path, Refusal("E_SCHEMA_TYPE", what=what, schema=document))
    what = f"{place} {_reason(error)}"
    return SchemaError(path, Refusal("E_SCHEMA_VALUE", what=what, schema=document))


def _wanted(error: Any) -> str:
    if error.kind.name == "type":
        return " or ".join(_named(name) for name in error.kind.types)
    return f"a number in range ({error.kind.name} {error.kind.limit})"


def _named(type_: str) -> str:
    return {"null": "null", "integer": "an integer", "array": "an array", "object": "an object"}.get(
        type_, f"a {type_}"
    )


def _reason(error: Any) -> str:
    kind = error.kind
    if kind.name in ("minLength", "minItems", "minProperties"):
        return f"is too short (at least {kind.limit})"
    if kind.name in ("maxLength", "maxItems", "maxProperties"):
        return f"is too long (at most {kind.limit})"
    if kind.name == "pattern":
        return f"does not match {kind.pattern}"
    if kind.name == "enum":
        return f"must be one of {', '.join(json.dumps(option, ensure_ascii=False) for option in kind.options)}"
    if kind.name == "const":
        return f"must be {json.dumps(kind.expected_value, ensure_ascii=False)}"
    return f"breaks the rule {kind.name}"


@cache
def _long_arrays(document: str) -> dict[str, int]:
    """The arrays at the top of a document whose length the schema bounds."""
    properties = _schema(document).get("properties", {})
    return {name: part["maxItems"] for name, part in properties.items() if "maxItems" in part}


def _clipped(arrays: dict[str, int], value: Any) -> Any:
    """``value`` with arrays one longer than is allowed at the most: what follows cannot make it any less wrong."""
    if not isinstance(value, dict):
        return value
    for name, limit in arrays.items():
        if isinstance(value.get(name), list) and len(value[name]) > limit + 1:
            value = {**value, name: value[name][: limit + 1]}
    return value


Places = dict[str, Any]  # key -> Places; "*" stands for each item of an array, "" for "an integer must be here"


@cache
def _integer_places(document: str) -> Places:
    """Where the schema asks for an integer."""

    def places(schema: dict[str, Any]) -> Places:
        if schema.get("type") == "integer":
            return {"": {}}
        inner = {key: places(part) for key, part in schema.get("properties", {}).items()}
        if "items" in schema:
            inner["*"] = places(schema["items"])
        return {key: part for key, part in inner.items() if part}

    return places(_schema(document))


def _float_integers(places: Places, value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Floats where an integer is asked for: JSON Schema itself takes 1.0 for one."""
    if "" in places:
        if isinstance(value, float) and value.is_integer():
            yield path
    elif isinstance(value, dict):
        for key, inner in places.items():
            if key in value:
                yield from _float_integers(inner, value[key], (*path, key))
    elif isinstance(value, list) and "*" in places:
        for index, part in enumerate(value):
            yield from _float_integers(places["*"], part, (*path, index))
