"""What a running evaluation tells: the count, the failures, the projected end; to machines, to a log, to a terminal."""

from __future__ import annotations

import itertools
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import jsonschema_rs
import pytest

from harness.cli.watch import Lines, spoken, standing
from harness.documents.progress import ProgressEvent
from harness.evaluation.progress import EVENTS, Progress
from harness.evaluation.run_io import RunIO
from harness.evaluation.standings import AttemptState, TeamState
from harness.evaluation.tasks import Failure, PrepareTask
from harness.evaluation.teams_file import Attempt, Team
from harness.resources import schema_path


class Collected:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[ProgressEvent] = []

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def event(self, event: ProgressEvent) -> None:
        self.events.append(event)


def _state(name: str) -> TeamState:
    attempt = Attempt(1, None, Path("somewhere"))
    return TeamState(Team(name, "track1", (attempt,)), [AttemptState(attempt)])


def _task(name: str) -> PrepareTask:
    return PrepareTask(name, Path("somewhere"), False, Path("work"))


def _lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / EVENTS).read_text("utf-8").splitlines()]


def _progress(folder: Path, watcher: Collected, jobs: int = 1) -> Progress:
    ticks = itertools.count(step=10)  # every look at the clock takes ten seconds
    return Progress(RunIO(folder), folder, watcher, jobs, jobs, clock=lambda: 0.0, timer=lambda: float(next(ticks)))


def test_steps_failures_and_the_end_are_counted(tmp_path: Path) -> None:
    watcher = Collected()
    states = {name: _state(name) for name in ("alpha", "beta", "gamma")}
    failures: dict[str, Failure] = {}
    progress = _progress(tmp_path, watcher)
    progress.follow(states, failures)
    assert watcher.events[0].left_s is None and watcher.events[0].steps == 6
    progress.started(_task("alpha"), 1)
    states["alpha"].attempts[0].prepared = {"valid": False}
    states["alpha"].counted = {"attempt": None, "late": False}
    progress.ended(_task("alpha"), 1, "invalid submission")
    failures["beta"] = Failure("I_WORKER", "lost", "again", False)
    progress.failed(_task("beta"), 1, failures["beta"])
    last = watcher.events[-1]
    assert (last.steps_done, last.teams_done, last.faulty, last.failed) == (2, 1, 1, 1)
    assert last.left_s is not None and last.left_s > 0
    assert "[I_WORKER]" in last.text
    progress.close()


def test_a_later_process_goes_on_counting_behind_a_torn_line(tmp_path: Path) -> None:
    first = _progress(tmp_path, Collected())
    first.follow({"alpha": _state("alpha")}, {})
    first.close()
    with (tmp_path / EVENTS).open("ab") as stream:
        stream.write(b'{"seq": 1, "ev')
    second = _progress(tmp_path, Collected())
    second.follow({"alpha": _state("alpha")}, {})
    second.close()
    validator = jsonschema_rs.validator_for(json.loads(schema_path("progress-event").read_text("utf-8")))
    assert [line["seq"] for line in _lines(tmp_path)] == [0, 1]
    assert all(validator.is_valid(line) for line in _lines(tmp_path))


def test_more_workers_end_sooner(tmp_path: Path) -> None:
    left = []
    for jobs in (1, 3):
        watcher = Collected()
        progress = _progress(tmp_path, watcher, jobs)
        progress.follow({f"team-{n}": _state(f"team-{n}") for n in range(9)}, {})
        progress.started(_task("team-0"), 1)
        progress.ended(_task("team-0"), 1, "valid submission")
        progress.close()
        left.append(watcher.events[-1].left_s or 0)
    assert left[0] > left[1] > 0


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (40, "40 s"), (700, "12 min"), (11100, "3 h 05 min")])
def test_times_are_spoken_coarsely(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def _event(**changed: object) -> ProgressEvent:
    plain: dict[str, object] = {
        "schema_version": 1, "seq": 0, "at": "", "event": "ended", "team": "alpha", "stage": "judge", "attempt": 1,
        "text": "alpha: judged", "steps": 12, "steps_done": 7, "teams": 4, "teams_done": 1, "faulty": 1, "failed": 0,
        "elapsed_s": 1.0, "left_s": 180.0, **changed,
    }  # fmt: skip
    return ProgressEvent(**plain)  # type: ignore[arg-type]


def test_a_log_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().event(_event(text="alpha: \x1b[31mjudged"))
    said = capsys.readouterr().err
    assert said.startswith("alpha: \\x1b[31mjudged (7/12 steps, 1 failed, 3 min left (about ")
    assert standing(_event(faulty=0, left_s=None)) == "7/12 steps"


_PLAY = """
import sys, time
from harness.cli.watch import watching
from harness.documents.progress import ProgressEvent
def event(**changed):
    plain = dict(schema_version=1, seq=0, at="", event="started", team="alpha", stage="judge", attempt=1, text="",
                 steps=12, steps_done=7, teams=4, teams_done=1, faulty=1, failed=0, elapsed_s=1.0, left_s=180.0)
    return ProgressEvent(**{**plain, **changed})
with watching(sys.argv[1], quiet=sys.argv[2] == "quiet") as watcher:
    watcher.event(event())
    watcher.event(event(event="failed", text="beta: [bold]judge\\x1b[31m failed", team="beta", failed=1))
    time.sleep(0.6)
"""


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a terminal of 100 columns gets."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment}
    with subprocess.Popen([sys.executable, "-c", _PLAY, *arguments], stderr=follower, env=env) as process:
        os.close(follower)
        said = b""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                got = os.read(leader, 65536)
            except OSError:  # the other end was closed
                break
            if not got:
                break
            said += got
    os.close(leader)
    assert process.returncode == 0, said
    return said.decode("utf-8")


def test_a_terminal_gets_a_bar_without_colour_if_it_wants_none() -> None:
    said = _on_a_terminal("auto", "watch", NO_COLOR="1")
    assert "7/12 steps, 1 failed, 1 failed on our side, 3 min left" in said and "judge alpha" in said
    assert "beta: [bold]judge\\x1b[31m failed" in said  # neither markup nor escapes of others
    assert "\x1b[3" not in said and "\x1b[33m" not in said


def test_a_terminal_gets_colour_when_asked_and_nothing_when_quiet() -> None:
    assert "\x1b[33m" in _on_a_terminal("always", "watch", NO_COLOR="1")
    assert _on_a_terminal("always", "quiet") == ""


def test_a_dumb_terminal_gets_lines() -> None:
    assert "\x1b" not in _on_a_terminal("always", "watch", TERM="dumb")
