"""`humdial duplex plot`: real pairs drawn on one time line, the same bytes each time, and refusals."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from harness.cli.duplex_plot import _LABELS
from harness.duplex import PairTiming
from harness.duplex.behaviour import LABELS
from harness.errors import MachineError
from harness.reporting.time_line import draw_pair

TIMING = PairTiming(
    user=((0.5, 2.0), (3.0, 4.2)), model=((2.4, 3.5), (4.8, 6.0)), stop=((3.0, 3.5),), response=((2.0, 2.4), (4.2, 4.8))
)
WAVS = Path(__file__).resolve().parents[1] / "data" / "vectors" / "wavs"


def plot(output: Path, user: Path, model: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", "duplex", "plot", "--user", str(user), "--model", str(model)]
    return subprocess.run([*command, "-o", str(output), *options], capture_output=True, text=True, timeout=300)


def a_pair() -> tuple[Path, Path]:
    user = sorted(WAVS.glob("*_user.wav"))[1]
    return user, user.with_name(user.name.replace("_user", "_model"))


def test_a_real_pair_is_drawn_twice_with_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        done = plot(tmp_path / name, *a_pair(), "--label", "RESPOND")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_svg_has_what_it_draws_and_no_date() -> None:
    drawn = draw_pair(TIMING, ("RESPOND",), "svg").decode()
    ElementTree.fromstring(drawn)
    texts = set(re.findall(r"<!-- (.*?) -->", drawn))
    assert {"user", "model", "stop", "response gap", "0.500 s", "0.400 s", "0.600 s", "RESPOND"} <= texts
    assert "dc:date" not in drawn
    assert drawn.encode() != draw_pair(TIMING, ("RESUME",), "svg")


def test_a_png_is_a_png() -> None:
    assert draw_pair(TIMING, (), "png").startswith(b"\x89PNG\r\n\x1a\n")


def test_silence_is_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(16_000, np.int16), 16_000, subtype="PCM_16")
    done = plot(tmp_path / "quiet.svg", tmp_path / "quiet.wav", tmp_path / "quiet.wav")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "quiet.svg").read_text("utf-8").count("<!-- no speech -->") == 2


def test_another_format_and_stereo_are_refused(tmp_path: Path) -> None:
    done = plot(tmp_path / "line.gif", *a_pair())
    assert done.returncode == 2 and ".svg or .png" in done.stderr
    soundfile.write(tmp_path / "two.wav", np.ones((16_000, 2), np.int16), 16_000, subtype="PCM_16")
    done = plot(tmp_path / "line.svg", tmp_path / "two.wav", tmp_path / "two.wav")
    assert done.returncode == 1 and "E_WAV" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("line.*"))


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MachineError, match="matplotlib is not installed") as caught:
        draw_pair(TIMING, (), "svg")
    assert caught.value.code == "I_PLOT"


def test_the_labels_are_those_of_the_behaviour() -> None:
    assert _LABELS == LABELS
