"""The gate for pull requests: who may change what in a repository that collects submissions."""

from __future__ import annotations

from harness.gate.changes import Change, read_changes
from harness.gate.rules import Gate, judge_changes

__all__ = ["Change", "Gate", "judge_changes", "read_changes"]
