"""Ids that climb, are too long, look like another's or steer a terminal; display names of the same kind."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import drafts

IDS = [
    "../x", "a" * 33, "ab", "Alpha", "alph\u0430", "al pha", "=cmd", "-alpha", "alpha-", "\x1b[31malpha", "alpha\u202e",
    "\uff41lpha", "alpha\u0000", "a/b", "", "alpha.", "alpha\n",
]  # fmt: skip
SHOWN = ["=1+1", "\x1b[2J", "<script>alert(1)</script>", "| a | b |", "::error::x", "\u202eahpla", "甲" * 40, "{{7*7}}"]


def make(subjects: Path, random: Random) -> None:
    for kind, key, names in (("id", "team", IDS), ("shown", "display_name", SHOWN)):
        manifests = [made.manifest(**{key: name}) for name in names]
        drafts(subjects, {f"{kind}{n:02d}": ("submission.json", data) for n, data in enumerate(manifests)})
