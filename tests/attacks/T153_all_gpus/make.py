"""The variables by which images ask an engine for devices; and a look for devices."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import dockerfile

BODY = """
require("asked for none", os.environ["NVIDIA_VISIBLE_DEVICES"] == "void")
require("no device", [name for name in os.listdir("/dev") if name.startswith(("nvidia", "dri", "kfd"))] == [])
"""


def make(subjects: Path, random: Random) -> None:
    ask = "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all CUDA_VISIBLE_DEVICES=0"
    dockerfile(subjects, "asks", ask, body=BODY)
