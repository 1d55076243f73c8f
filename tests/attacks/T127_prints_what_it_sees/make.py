"""It prints every file, variable and argument that it can see, writes them to /output, and ends with an error."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

PRINTS = """
for place in (source, pathlib.Path("/proc/self")):
    for path in sorted(place.glob("**/*") if place == source else place.glob("*")):
        try:
            text = path.read_bytes()[:200]
            print(path, text, flush=True)
            sys.stderr.write(repr(text))
            (target / path.name).write_bytes(text)
        except OSError:
            pass
print(dict(os.environ), sys.argv)
raise RuntimeError(open(source / "zh/task2.jsonl").read())
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "prints", PRINTS)
