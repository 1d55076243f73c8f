"""Prints a bill of materials (CycloneDX 1.6, JSON) of what is installed for a distribution, itself included.

    python requirements/sbom.py humdial-harness > sbom.cdx.json

Standard library only: it runs in the environment that it describes and adds nothing to it.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def needed(name: str) -> dict[str, Distribution]:
    """The distribution and everything that it needs without extras, by normalised name."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        key = re.sub(r"[-_.]+", "-", current).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(current)
        except PackageNotFoundError:
            if key == re.sub(r"[-_.]+", "-", name).lower():
                raise
            continue  # asked for on another platform or an older Python only
        plain = [entry for entry in found[key].requires or [] if "extra ==" not in entry]
        waiting += [re.split(r"[^A-Za-z0-9._-]", entry, maxsplit=1)[0] for entry in plain]
    return found


def purl(name: str, version: str) -> str:
    """The package's URL, which also serves as its reference in the bill."""
    return f"pkg:pypi/{name}@{version}"


def component(key: str, found: Distribution) -> dict[str, object]:
    """One entry of the bill."""
    reference = purl(key, found.version)
    entry: dict[str, object] = {"type": "library", "bom-ref": reference, "name": key, "version": found.version}
    licence = found.metadata.get("License-Expression")
    if licence:
        entry["licenses"] = [{"expression": licence}]
    return {**entry, "purl": reference}


def bill(name: str) -> dict[str, object]:
    """The whole document; the same environment gives the same bytes, so there is no time and no serial number."""
    found = dict(sorted(needed(name).items()))
    own = re.sub(r"[-_.]+", "-", name).lower()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(own, found[own]) | {"type": "application"}},
        "components": [component(key, entry) for key, entry in found.items() if key != own],
    }


if __name__ == "__main__":
    print(json.dumps(bill(sys.argv[1]), indent=2))
