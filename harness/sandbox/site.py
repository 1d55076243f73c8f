"""What a site decides about its own machines. Nothing here can change a score; all of it is in every run record.

Built-in values < the site file < the environment < a command's option. The site file is the one that HUMDIAL_SITE
names, else the user's humdial/site.toml, else /etc/humdial/site.toml.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.errors import UsageError

SITE_FILE = "HUMDIAL_SITE"
RUNTIME = "HUMDIAL_RUNTIME"
_FLOORS = ("note", "require")
_KEYS = ("runtime", "floors")


@dataclass(frozen=True, slots=True)
class Site:
    """``runtime`` is the engine's name of what starts containers (empty: the engine's default; ``runsc`` is gVisor).
    ``floors``: whether versions below the known safe ones are only noted in the record, or nothing runs on them."""

    runtime: str = ""
    floors: Literal["note", "require"] = "note"


def site_settings(runtime: str | None = None) -> Site:
    """The settings in effect; ``runtime`` is a command's option. Raises UsageError (E_CONFIG) for a wrong site file."""
    path = _site_file()
    site = Site() if path is None else _read(path)
    chosen = runtime or os.environ.get(RUNTIME)
    return replace(site, runtime=chosen) if chosen else site


def _site_file() -> Path | None:
    named = os.environ.get(SITE_FILE)
    if named:
        return Path(named)
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next(
        (path for path in (config / "humdial/site.toml", Path("/etc/humdial/site.toml")) if path.is_file()), None
    )


def _read(path: Path) -> Site:
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the site file {path} cannot be read: {error}", code="E_CONFIG", hint="correct it") from error
    wrong = sorted(set(settings) - set(_KEYS)) + [key for key, value in settings.items() if not isinstance(value, str)]
    if settings.get("floors", "note") not in _FLOORS:
        wrong.append("floors")
    if wrong:
        raise UsageError(
            f"the site file {path} has wrong entries: {', '.join(wrong)}",
            code="E_CONFIG",
            hint='it may hold runtime = "NAME" and floors = "note" or "require"',
        )
    return Site(**settings)
