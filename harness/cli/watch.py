"""How far an evaluation is, on stderr: a bar on a terminal, a line an event elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from harness.cli.console import say, wants_color
from harness.documents.progress import ProgressEvent
from harness.evaluation.progress import Watcher
from harness.reporting.hostile_text import visible

# Named at once beside the bar; the others are counted.
_SHOWN = 2
_LINE = 300


class Silent:
    """Nobody looks on."""

    def note(self, text: str) -> None:
        """Nothing."""

    def event(self, event: ProgressEvent) -> None:
        """Nothing."""


class Lines:
    """A line for all that ends, with the count at that point. Starts are left out: a log is read afterwards."""

    def note(self, text: str) -> None:
        say(visible(text, _LINE))

    def event(self, event: ProgressEvent) -> None:
        if event.event != "started":
            say(f"{visible(event.text, _LINE)} ({standing(event)})")


class Bar:
    """A bar over all steps, what is under way, failures so far, the projected end. What failed stays above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._under_way: dict[tuple[str, str], None] = {}
        self._progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f} steps{task.fields[standing]}", markup=False),
            TextColumn("{task.fields[now]}", markup=False),
            console=console,
            refresh_per_second=4,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=1, standing="", now="", visible=False)
        self._progress.start()

    def close(self) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        self._console.print(Text(visible(text, _LINE)))

    def event(self, event: ProgressEvent) -> None:
        if event.team is not None and event.stage is not None:
            key = (event.team, event.stage)
            self._under_way.pop(key, None)
            if event.event == "started":
                self._under_way[key] = None
        if event.event in ("failed", "refused", "unfinished", "stopped") or "invalid" in event.text:
            self._console.print(Text(visible(event.text, _LINE), style="yellow" if event.team else "bold"))
        self._progress.update(
            self._bar, completed=event.steps_done, total=event.steps, standing=_failures_and_end(event),
            now=self._now(), visible=True,
        )  # fmt: skip

    def _now(self) -> str:
        shown = [f"{stage} {team}" for team, stage in list(self._under_way)[:_SHOWN]]
        more = len(self._under_way) - len(shown)
        return "· " + ", ".join(shown) + (f" +{more}" if more else "") if shown else ""


def standing(event: ProgressEvent) -> str:
    """``7/12 steps, 1 failed, about 3 min left``."""
    return f"{event.steps_done}/{event.steps} steps{_failures_and_end(event)}"


def _failures_and_end(event: ProgressEvent) -> str:
    failed = f", {event.faulty} failed" if event.faulty else ""
    ours = f", {event.failed} failed on our side" if event.failed else ""
    return failed + ours + _end(event.left_s, time.time())


def _end(left_s: float | None, now: float) -> str:
    """The projected end; a day is named when it is not today."""
    if not left_s:
        return ""
    end, today = time.localtime(now + left_s), time.localtime(now)
    clock = time.strftime("%H:%M" if end[:3] == today[:3] else "%Y-%m-%d %H:%M", end)
    return f", {spoken(left_s)} left (about {clock})"


def spoken(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


@contextmanager
def watching(color: str, *, quiet: bool) -> Iterator[Watcher]:
    """What fits stderr: nothing when ``quiet``, a bar on a terminal that can move its cursor, else lines."""
    if quiet:
        yield Silent()
        return
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield Lines()
        return
    colored = wants_color(color, sys.stderr)
    console = Console(stderr=True, no_color=not colored, highlight=False, force_terminal=True)
    bar = Bar(console)
    try:
        yield bar
    finally:
        bar.close()
