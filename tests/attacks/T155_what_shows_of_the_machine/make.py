"""The name is fixed and there is no address. Processor, date and boot id do show, as the threat model says."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

LOOKS = """
require("name", socket.gethostname() == "sandbox")
require("file", open("/etc/hostname").read().strip() == "sandbox")
names = os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else []
require("no address", set(names) <= {"lo"})
environment = set(os.environ) - {"PATH", "HOSTNAME", "HOME", "LC_CTYPE"}
ours = ("HUMDIAL_", "NVIDIA_VISIBLE_DEVICES", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
require("environment", [name for name in environment if not name.startswith(ours)] == [])
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "looks", LOOKS)
