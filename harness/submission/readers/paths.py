"""Relative names inside a submission: which are refused, and which two would be one name elsewhere."""

from __future__ import annotations

import re
import unicodedata

from harness.challenge.reading import ReadLimits
from harness.submission.readers.refusal import Refusal, quoted

MAX_DEPTH = 16  # folders inside folders; the layouts need three
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".tar.xz", ".txz", ".tar.bz2", ".gz", ".zst")
_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_UNSAFE_REFERENCE = re.compile(r"[:|\\<>*?\"~$`]")
_JUNK_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_JUNK_FOLDER = "__MACOSX"


def member_path(raw: bytes, limits: ReadLimits) -> str:
    """The canonical relative path of an archive member: no leading ./, no trailing slash; "" for the top itself.

    Raises Refusal: E_ARC_NAME (not text), E_ARC_PATH (leaves the top or is not canonical), E_ARC_COUNT (too deep),
    E_NAME (not portable).
    """
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = quoted(raw.decode("utf-8", "surrogateescape"))
        raise Refusal("E_ARC_NAME", name=shown, what="bytes that are not UTF-8") from error
    if not name.isprintable():
        raise Refusal("E_ARC_NAME", name=quoted(name), what="control or invisible characters")
    path = name.removeprefix("./")
    if path in ("", "."):
        return ""
    path = path.removesuffix("/")
    if "\\" in path or path.startswith("/") or _DRIVE.match(path) or not path:
        raise Refusal("E_ARC_PATH", name=quoted(name))
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise Refusal("E_ARC_PATH", name=quoted(name))
    check_portable(path, limits)
    return path


def check_portable(path: str, limits: ReadLimits) -> None:
    """Refuse what some file systems cannot hold: E_NAME, or E_ARC_COUNT when it is nested too deeply."""
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        raise Refusal("E_ARC_COUNT", what=f"folders nested {len(parts)} deep; {MAX_DEPTH} are allowed")
    if len(path.encode("utf-8", "surrogateescape")) > limits.path_bytes:
        raise Refusal("E_NAME", name=quoted(path), what=f"has more than {limits.path_bytes} bytes")
    for part in parts:
        if fault := name_fault(part, limits):
            raise Refusal("E_NAME", name=quoted(part), what=fault)


def name_fault(name: str, limits: ReadLimits) -> str | None:
    """Why one component of a path is refused, in words that continue "the name …"; None when it is fine."""
    if len(name.encode("utf-8", "surrogateescape")) > limits.name_bytes:
        return f"has more than {limits.name_bytes} bytes"
    if not name.isprintable():
        return "holds control, invisible or undecodable characters"
    if _DEVICE.fullmatch(name):
        return "is a device on Windows"
    if name.endswith((".", " ")) or name.startswith(" "):
        return "starts or ends with a blank or ends with a dot"
    return None


def is_junk(path: str) -> bool:
    """What operating systems leave behind, by exact name."""
    parts = path.split("/")
    return _JUNK_FOLDER in parts or parts[-1] in _JUNK_NAMES or parts[-1].startswith("._")


def fold(path: str) -> str:
    """Two paths with the same fold are one path on some file system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def is_safe_reference(value: str) -> bool:
    """Whether a path written inside a document could name a file of the submission: relative, no .., no scheme."""
    if not value or not value.isprintable() or value.startswith(("/", "-")) or _UNSAFE_REFERENCE.search(value):
        return False
    return ".." not in value.split("/")
