"""`humdial run` after a bad day: what a killed run left behind is dealt with by the next."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.sandbox import Engine

pytestmark = pytest.mark.engine


def test_the_next_run_ends_what_a_killed_one_left_running(
    engine: Engine, build_image: Any, sample: Path, tmp_path: Path
) -> None:
    """SIGKILL leaves the container and the mount; the same command again must not run beside them."""
    image = build_image(
        "COPY main.py /main.py", 'ENTRYPOINT ["python3", "/main.py"]', files={"main.py": "import time; time.sleep(300)"}
    )
    command = [sys.executable, "-m", "harness", "run", image, "--inputs", sample / "inputs", "--out", tmp_path / "out"]
    first = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (left := engine.api.containers(filters={"ancestor": image, "status": "running"})):
        assert first.poll() is None
        time.sleep(0.05)
    first.kill()
    first.wait()
    limits = tmp_path / "limits.toml"
    limits.write_text("wall_s = 2\nstop_grace_s = 1\n")
    again = subprocess.run([*map(str, command), "--limits", str(limits)], capture_output=True, check=False)
    assert again.returncode == 1, again.stderr
    assert json.loads((tmp_path / "out/run.json").read_text())["state"] == "timed_out"
    assert engine.api.containers(all=True, filters={"id": left[0]["Id"]}) == []
    assert not (tmp_path / "out/.work").exists()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_ended_leaves_nothing_and_says_how_it_ended(
    engine: Engine, build_image: Any, sample: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    image = build_image('ENTRYPOINT ["sleep", "300"]')
    out = tmp_path / "out"
    command = [sys.executable, "-m", "harness", "run", image, "--inputs", str(sample / "inputs"), "--out", str(out)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not engine.api.containers(filters={"ancestor": image, "status": "running"}):
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(sent)
    _, said = run.communicate(timeout=30)
    assert run.returncode == code
    assert "Traceback" not in said
    assert engine.api.containers(all=True, filters={"ancestor": image}) == []
    assert list(out.iterdir()) == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
