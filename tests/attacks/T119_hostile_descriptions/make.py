"""PDFs that are none, cut or too short, that name themselves as their pages, or bring a script and a bomb."""

from __future__ import annotations

import zlib
from pathlib import Path
from random import Random

import made
from hostile import with_file

PDF = "system_description.pdf"


def make(subjects: Path, random: Random) -> None:
    good = made.pdf()
    loop = good.replace(b"/Kids [3 0 R 4 0 R]", b"/Kids [2 0 R 2 0 R]")
    assert loop != good
    bomb = zlib.compress(bytes(200 << 20), 9)
    script = good.replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >>")
    for name, data in {
        "broken-text": b"the best system\n",
        "broken-cut": good[: len(good) // 2],
        "broken-zip": made.zipped({"a": b"b"}),
        "broken-empty": b"",
        "pages-one": made.pdf(pages=1),
        "loop-itself": loop,
        "active-script": script,
        "active-bomb": good + b"\n99 0 obj\n<< /Filter /FlateDecode >>\nstream\n" + bomb + b"\nendstream\nendobj\n",
    }.items():
        with_file(subjects, name, PDF, data)
