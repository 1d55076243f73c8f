"""What holds for every command: exit codes, clean stdout, no traceback, a quick --help."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import __version__
from harness.cli.console import wants_color
from harness.cli.main import COMMANDS


def humdial(*arguments: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], capture_output=True, text=True, timeout=60, **kwargs
    )  # type: ignore[call-overload, no-any-return]


def test_version_and_help() -> None:
    first, challenge, schemas = humdial("--version").stdout.splitlines()
    assert first == f"humdial, version {__version__}"
    assert re.fullmatch(r"challenge humdial-2026 sha256:[0-9a-f]{64}", challenge)
    assert re.fullmatch(r"schemas \d+ of v1", schemas)
    shown = humdial("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert name in shown.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_that_loads_no_heavy_library(name: str) -> None:
    script = (
        "import sys; from harness.cli.main import cli\n"
        f"code = cli.main([{name!r}, '--help'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'docker', 'numpy', 'soundfile', 'scipy'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy)); sys.exit(code or 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "HEAVY []" in result.stdout


def test_usage_errors_exit_2_with_nothing_on_stdout() -> None:
    for arguments in (["nonsense"], ["validate", "--no-such-option"], ["validate"]):
        result = humdial(*arguments)
        assert result.returncode == 2, arguments
        assert result.stdout == ""
        assert "Traceback" not in result.stderr


def test_an_unknown_challenge_is_the_callers_fault(tmp_path: Path) -> None:
    result = humdial("validate", "--challenge", "no-such-challenge", str(tmp_path))
    assert result.returncode == 2
    assert "E_CONFIG" in result.stderr
    assert "humdial-2026" in result.stderr


def test_a_bug_gives_a_short_text_and_a_report(tmp_path: Path) -> None:
    script = (
        "import sys, harness.cli.main as main\n"
        "main.COMMANDS['explain'] = ('tests_bug:command', 'x')\n"
        "sys.argv = ['humdial', 'explain']\n"
        "main.run()\n"
    )
    (tmp_path / "tests_bug.py").write_text("raise RuntimeError('the inner secret')\n")
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).resolve().parents[2]}", "TMPDIR": str(tmp_path)},
    )
    assert result.returncode == 70
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
    reports = list(tmp_path.glob("humdial-crash-*.txt"))
    assert len(reports) == 1
    assert "the inner secret" in reports[0].read_text()


def test_a_mistyped_name_gets_the_nearest_one() -> None:
    for arguments, near in ((["validte"], "Did you mean 'validate'?"), (["explain", "E_WAV_SIZ"], "mean E_WAV_SIZE?")):
        result = humdial(*arguments)
        assert result.returncode == 2
        assert near in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_what_the_shell_reads(shell: str, tmp_path: Path) -> None:
    script = humdial("completion", shell).stdout
    assert "_HUMDIAL_COMPLETE" in script
    if program := shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script, "utf-8")
        done = subprocess.run([program, "-n", path], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_shell_is_offered_commands_and_their_options() -> None:
    program = str(Path(sys.executable).with_name("humdial"))
    environment = {"PATH": "/usr/bin:/bin", "_HUMDIAL_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    offered = subprocess.run(
        [program], env={**environment, "COMP_WORDS": "humdial va"}, capture_output=True, text=True, timeout=60
    ).stdout
    assert offered == "plain,validate\n"
    words = {"COMP_WORDS": "humdial validate --lay", "COMP_CWORD": "2"}
    offered = subprocess.run([program], env={**environment, **words}, capture_output=True, text=True, timeout=60).stdout
    assert offered == "plain,--layout\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "choice", "on_a_terminal", "in_a_file"),
    [
        ({}, "auto", True, False),
        ({"NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": ""}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", True, True),
        ({"FORCE_COLOR": "1"}, "never", False, False),
    ],
)
def test_colour_is_for_those_who_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], choice: str, on_a_terminal: bool, in_a_file: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (wants_color(choice, Terminal()), wants_color(choice, io.StringIO())) == (on_a_terminal, in_a_file)
