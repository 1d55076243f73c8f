"""Finds the data folders that sit beside the package in a checkout and inside it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """The folder ``schemas``, ``prompts``, ``canaries``, ``sandbox`` or ``requirements``.

    Raises FileNotFoundError when neither a wheel's copy nor a checkout's folder is there.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the installation lacks its {name}/ folder; reinstall humdial-harness")


def schema_path(document: str, version: int = 1) -> Path:
    """The JSON Schema file of one document kind, for instance ``schema_path("run-record")``."""
    return data_dir("schemas") / document / f"v{version}.schema.json"


def cache_dir() -> Path:
    """Where large things are kept that can be made again: HUMDIAL_CACHE, a checkout's .cache, else the user's cache."""
    chosen = os.environ.get("HUMDIAL_CACHE")
    if chosen:
        return Path(chosen)
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        return _PACKAGE.parent / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "humdial"
