"""Every error the harness raises on purpose, with its exit code and what to do about it.

    HarnessError
    ├── UsageError        exit 2   the caller's fault: options, a bad spec, an unknown schema version
    ├── MachineError      exit 3   the machine or our side; safe to retry, never counts against a team
    └── Refused           exit 1   done, and the answer is no (an invalid submission, a failed run)

Expected outcomes (findings, run states, item states) are data and are never raised.
"""

from __future__ import annotations


class HarnessError(Exception):
    """A stage stopped.

    ``code`` is a stable name from the project's closed list, ``hint`` one sentence that says what to do.
    ``str(error)`` is safe to show to a participant; ``detail`` is for the organisers' log only.
    """

    exit_code = 70

    def __init__(self, message: str, *, code: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.detail = detail


class UsageError(HarnessError):
    """The caller asked for something that cannot be: a bad option, spec or document."""

    exit_code = 2


class MachineError(HarnessError):
    """The machine or the harness's side failed; retry is safe and no team is to blame."""

    exit_code = 3


class Refused(HarnessError):
    """The answer is no: for instance, scoring was asked of an invalid submission."""

    exit_code = 1
