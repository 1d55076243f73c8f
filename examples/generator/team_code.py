"""Access to the sample teams' own sources, which are programs of their images and no package."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parent.parent / "teams"
NAMES = ("careful", "lazy", "hostile")


@cache
def team_module(team: str, name: str) -> ModuleType:
    """One module of a team, loaded under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"{team}_{name}", FOLDER / team / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{team}/{name}.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
