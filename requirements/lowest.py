"""Prints the lowest version of every direct dependency that pyproject.toml allows, as constraints for pip.

python requirements/lowest.py > constraints.txt
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def lowest(pyproject: Path = PYPROJECT) -> list[str]:
    """``name==version`` for each dependency of the base install. Raises ValueError for one without a lower bound."""
    pinned = []
    for entry in tomllib.loads(pyproject.read_text("utf-8"))["project"]["dependencies"]:
        found = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)(?:,.*)?", entry)
        if found is None:
            raise ValueError(f"{entry!r} has no lower bound")
        pinned.append(f"{found[1]}=={found[2]}")
    return pinned


if __name__ == "__main__":
    print("\n".join(lowest()))
