"""Control characters in a reply, escaped; TAB and LF are fine, CR becomes LF with a warning."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for number in (0, 1, 7, 8, 11, 12, 14, 27, 31, 127, 128, 133, 155, 159):
        write(subjects / f"u{number:04x}", raw_line(f"u{number}", "PLACE", f"你今天很\\u{number:04x}辛苦。"))
    for name, escape in {"ok-tab": r"\t", "ok-lf": r"\n", "cr": r"\r", "crlf": r"\r\n"}.items():
        write(subjects / name, raw_line(name, "PLACE", f"你今天{escape}很辛苦。"))
