"""Labels like ours, root, a health check, a stop signal: all of it is replaced."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import dockerfile

BODY = """
require("not root", os.getuid() == os.geteuid() == 64999)
time.sleep(1.5)
require("no health check", not os.path.exists("/tmp/checked"))
"""


def make(subjects: Path, random: Random) -> None:
    lines = ["LABEL humdial.nonce=0000000000000000 humdial.role=judge", "USER 0", "STOPSIGNAL SIGCONT"]
    lines += ["HEALTHCHECK --interval=1s CMD touch /tmp/checked"]
    dockerfile(subjects, "imitates", *lines, body=BODY)
