"""What the attacks share, and the table of what was tried and how it went."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import made
import pytest
from attack_case import CANARY, sections

pytest.register_assert_rewrite(
    "attack_stages", "attack_validate", "attack_audio", "attack_runs", "attack_judge", "attack_test"
)


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A good submission (sub), the inputs it answers (in, with a canary as the users' text), and what is said of it
    alone: as a draft, and against the inputs."""
    home = tmp_path_factory.mktemp("honest")
    made.write(home / "sub", made.submission())
    inputs = {}
    for path, data in made.inputs().items():
        lines = [json.loads(line) for line in data.splitlines()]
        for line in lines:
            for turn in line["turns"]:
                turn["text"] = f"{turn['text']} {CANARY}"
        inputs[path] = made.jsonl(lines)
    made.write(home / "in", inputs)
    reports = []
    for options in (["--draft"], ["--inputs", home / "in"]):
        command = [sys.executable, "-P", "-m", "harness", "validate", home / "sub", *options, "-f", "json"]
        reports.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
        assert reports[-1]["valid"]
    return home, reports


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Cases tried, passed and skipped by section, the slowest and the largest."""
    rows = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            properties = dict(getattr(report, "user_properties", ()))
            if "attack" in properties and report.when == "call":
                rows.append((outcome, properties))
    if not rows:
        return
    from attack_stages import CPU_S, PEAK_MB

    terminalreporter.section("attacks")
    for letter, part in sections().items():
        mine = [(outcome, row) for outcome, row in rows if row["section"] == letter]
        if mine:
            subjects = sum(row.get("subjects", 0) for _, row in mine)
            count = Counter(outcome for outcome, _ in mine)
            skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
            of = f"{count['passed']:>4} of {len(mine)} cases{skipped}, {subjects} subjects"
            terminalreporter.line(f"{letter} {part['title']:<28}{of}")
    facts = (
        ("cpu_s", "s of CPU time", f" of {CPU_S:g}"),
        ("wall_s", "s", ""),
        ("peak_mb", "MB in one process", f" of {PEAK_MB:g}"),
    )
    for name, unit, allowed in facts:
        worst = max((row for _, row in rows), key=lambda row: row.get(name, 0.0))
        terminalreporter.line(f"largest {unit:<28}{worst.get(name, 0.0):8.2f}{allowed:<8}  {worst['attack']}")
