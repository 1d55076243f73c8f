"""Characters that show as nothing or turn the text around; emoji keep their joiners."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import texts

HIDDEN = {
    "bidi": "\u202e",
    "isolate": "\u2066",
    "zero-width": "\u200b",
    "tag": "\U000e0041",
    "selector": "\U000e0100",
    "soft-hyphen": "\u00ad",
    "filler": "\u3164",
    "private": "\ue000",
    "private-plane": "\U000f0000",
    "unassigned": "\u0378",
    "noncharacter": "\ufffe",
    "braille": "\u2800",
    "annotation": "\ufff9",
}


def make(subjects: Path, random: Random) -> None:
    texts(subjects, {f"one-{name}": f"你今天{hidden}很辛苦。" for name, hidden in HIDDEN.items()})
    texts(subjects, {f"six-{name}": f"你今天{hidden * 6}很辛苦。" for name, hidden in HIDDEN.items()})
    emoji = {"astronaut": "👩\u200d🚀", "heart": "❤\ufe0f", "keycap": "1\ufe0f\u20e3"}
    texts(subjects, {f"ok-{name}": f"你今天很辛苦{picture}" for name, picture in emoji.items()})
