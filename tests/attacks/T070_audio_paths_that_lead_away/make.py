"""response_audio that leaves the folder, names another host or runs something."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import line, write

PATHS = [
    "../x.wav",
    "a/../../x.wav",
    "/etc/passwd",
    "//host/share/x.wav",
    r"\\host\share\x.wav",
    r"C:\x.wav",
    "C:x.wav",
    "http://127.0.0.1/x.wav",
    "file:///etc/passwd",
    "data:audio/wav;base64,AAAA",
    "concat:a|b",
    "|id",
    "$(id).wav",
    "`id`.wav",
    "~/x.wav",
    "-i.wav",
    "a\u0000.wav",
    "a\n.wav",
    "a\u202e.wav",
    "subfile,,start,0,end,1,,:x.wav",
]


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait/secret.txt"
    for number, path in enumerate([*PATHS, str(bait), f"file:{bait}", f"../../bait/{bait.name}"]):
        row = line(f"path{number}", response_audio=path)
        write(subjects / f"path{number:02d}", made.jsonl([row]).rstrip(b"\n"))
