"""Documents to bytes and back: one canonical JSON, one reader that refuses what it does not know."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import MachineError, UsageError

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


@cache
def _converter() -> cattrs.Converter:
    import cattrs  # only here: every command imports this module, few build documents
    from cattrs.strategies import configure_union_passthrough

    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    configure_union_passthrough(str | int | float | bool | None, converter)
    return converter


def to_plain(document: Any) -> Any:
    """Dataclasses to dicts and lists, ready for JSON."""
    return _converter().unstructure(document)


def from_plain(kind: type[T], plain: Any) -> T:
    """Dicts and lists to one document of ``kind``.

    Raises UsageError (E_DOCUMENT) when a key is missing, unknown or of the wrong type.
    """
    try:
        return _converter().structure(plain, kind)
    except Exception as error:  # cattrs raises whatever the constructors raise; this is its border
        raise UsageError(
            f"this is not a {kind.__name__} document: {error}",
            code="E_DOCUMENT",
            hint="pass a file that this version of humdial wrote, or check it with `humdial schema show`",
        ) from error


def canonical_json(plain: Any) -> bytes:
    """Sorted keys, no blanks, UTF-8, no NaN: equal values give equal bytes. For digests and JSONL."""
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def pretty_json(plain: Any) -> bytes:
    """As stable as canonical_json, for people: indented, keys in the document's own order."""
    return (json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def digest(plain: Any) -> str:
    """``sha256:<hex>`` of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical_json(plain)).hexdigest()


def jsonl(plains: list[Any]) -> bytes:
    """One canonical JSON object a line."""
    return b"".join(canonical_json(plain) + b"\n" for plain in plains)


def write_atomic(path: Path, data: bytes) -> None:
    """Write all of ``data`` to ``path`` or nothing: a temporary file beside it, fsync, rename, fsync.

    Raises MachineError (I_DISK) when the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise MachineError(
            f"{path} could not be written: {error.strerror}", code="I_DISK", hint="free space or pass another folder"
        ) from error


def read_document(kind: type[T], path: Path) -> T:
    """One JSON document of our own making from a file.

    Raises UsageError (E_DOCUMENT) when it cannot be read, is not JSON or is not a ``kind``.
    """
    try:
        plain = json.loads(path.read_text("utf-8"), parse_constant=_refuse_constant)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as JSON: {error}", code="E_DOCUMENT", hint="check the path and the file"
        ) from error
    return from_plain(kind, plain)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


__all__ = [
    "canonical_json",
    "digest",
    "from_plain",
    "jsonl",
    "pretty_json",
    "read_document",
    "to_plain",
    "write_atomic",
]
