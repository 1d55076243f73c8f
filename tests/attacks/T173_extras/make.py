"""scores.json, a hidden folder, Python that would be imported, a pickle."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

EXTRAS = """
import pickle
(target / "scores.json").write_text('{"score": 5}')
(target / ".hd").mkdir()
(target / ".hd/report.json").write_text("{}")
(target / "zh/__init__.py").write_text("raise SystemExit('ESCAPED')")
class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/pickled",))
(target / "zh/task2.pkl").write_bytes(pickle.dumps(Evil()))
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "extras", EXTRAS)
