"""A submission with faults of every room, in six surroundings; the last is another user, who owns nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import made
import pytest
from attack_case import Box, Seen

SURROUNDINGS: tuple[dict[str, str], ...] = (
    {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    {"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "TZ": "America/St_Johns", "PYTHONHASHSEED": "2", "COLUMNS": "20"},
    {"LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1", "TZ": "nonsense", "PYTHONHASHSEED": "3", "PYTHONOPTIMIZE": "1"},
)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    folder = made.write(box.subjects / "Ìstanbul İıI", made.submission())
    (folder / "zh/task2.jsonl").write_bytes(b'{"dialogue_id": "\xc4\xb0\xc4\xb1", "turns": [{"turn_id": true}]}\n{\n')
    (folder / "zh/TASK3.jsonl").write_bytes(b"")
    (folder / "en/task3.jsonl").chmod(0)
    os.mkfifo(folder / "en/pipe")
    min(folder.glob("zh/task4/*.wav")).write_bytes(b"no audio")
    (folder / "en/déjà vu.txt").touch()
    surroundings = [*SURROUNDINGS, *([{"as": "other", **SURROUNDINGS[0]}] if _other_user() else [])]
    seen = {_report(folder, dict(each)) for each in surroundings}
    assert len(seen) == 1
    codes = frozenset(finding["code"] for finding in json.loads(seen.pop())["findings"])
    return {"all": Seen("REJECT", codes, {})}


def _report(folder: Path, variables: dict[str, str]) -> bytes:
    prefix = ["unshare", "--user", "--map-user=1000"] if variables.pop("as", "") else []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "TZ", "PYTHON"))}
    command = [*prefix, sys.executable, "-P", "-m", "harness", "validate", folder, "-f", "json"]
    done = subprocess.run(command, env={**kept, **variables}, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stdout


def _other_user() -> bool:
    """Whether this machine lets us be somebody else for a while."""
    return not subprocess.run(
        ["unshare", "--user", "--map-user=1000", "true"], capture_output=True, check=False
    ).returncode
