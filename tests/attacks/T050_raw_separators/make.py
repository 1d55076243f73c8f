"""Characters at which str.splitlines would cut a record, raw inside a string: still one record."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for number in (0x85, 0x2028, 0x2029):
        write(subjects / f"u{number:04x}", raw_line(f"u{number}", "PLACE", f"你今天{chr(number)}很辛苦。"))
    for number in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x09, 0x01):  # JSON allows none of these unescaped
        write(subjects / f"raw{number:04x}", raw_line(f"u{number}", "PLACE", f"你今天{chr(number)}很辛苦。"))
