"""reference/exit-codes.md: from the tree of errors and the commands."""

from __future__ import annotations

import inspect

from from_code.markdown import cell, code, table
from harness import errors
from harness.cli.main import EXIT_BUG

SOURCE = "harness/errors.py and harness/cli/main.py"
OTHERS = {
    0: ("—", "Done, and the answer is yes."),
    EXIT_BUG: ("—", "A bug in humdial: a short text, and the path of a crash report."),
    130: ("—", "Interrupted (Ctrl-C), after the containers were stopped."),
    143: ("—", "Terminated (SIGTERM), after the containers were stopped."),
}


def pages() -> dict[str, str]:
    found = dict(OTHERS)
    for error in errors.HarnessError.__subclasses__():
        text = " ".join((inspect.getdoc(error) or "").split())
        found[error.exit_code] = (error.__name__, text)
    rows = [(str(exit_code), code(name), cell(text)) for exit_code, (name, text) in sorted(found.items())]
    return {
        "exit-codes.md": "# Exit codes\n\nEvery command ends with one of these. What a team did wrong is never 3, and what the machine"
        " did wrong is never 1.\n\n"
        + table(("exit", "raised as", "meaning"), rows)
        + "\n`humdial evaluate` ends with 0 when every team reached a final state and the table was published (a team that"
        " failed is data), with 1 when publication was refused, with 3 when it must be run again.\n"
    }
