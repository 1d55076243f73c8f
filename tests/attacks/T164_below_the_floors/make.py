"""The record names what is below its floor; with floors = require nothing runs there."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import image_of, limits_of, seen_of, try_image
from programs import program

from harness.sandbox.floors import below_floors


def make(subjects: Path, random: Random) -> None:
    program(subjects, "sound", "")


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    engine = request.getfixturevalue("engine")
    below = list(below_floors(engine.versions()))
    if not below:
        pytest.skip("everything here is above its floor")
    image = image_of(box.subjects / "sound.py", request.getfixturevalue("build_image"))
    done = try_image(box, image, box.out / "noted", limits_of(box))
    noted = seen_of(box.out / "noted", done.exit)
    assert noted.document["host"]["below_floors"] == below
    site = box.root / "site.toml"
    site.write_text('floors = "require"')
    done = try_image(box, image, box.out / "required", limits_of(box), HUMDIAL_SITE=str(site))
    assert done.exit == 3
    assert below[0].encode() in done.stderr
    codes = frozenset({"I_PREFLIGHT"} if b"[I_PREFLIGHT]" in done.stderr else ())
    return {"noted": noted, "required": Seen("INFRA", codes, {})}
