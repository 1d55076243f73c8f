"""The tool as a process of its own, and within the test's, for tests of whole commands."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from harness.cli.main import cli
from harness.errors import HarnessError


def humdial(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def here(*arguments: object) -> tuple[int, str]:
    """In this process, where that is as good: exit code, and everything that was said."""
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if isinstance(done.exception, HarnessError):
        return done.exception.exit_code, f"{done.output}{done.exception} [{done.exception.code}]"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output
