"""What a team hands in: strict readers and rules. `check` is the way in; nothing here runs anything of a team.

The names load when they are asked for, so that the child process that reads files (`readers.child`) can import its
readers without the rules, the schemas and their libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.submission.canonical_copies import Recording, Recordings, canonical_digests, canonical_wavs
    from harness.submission.checking import Outcome, check
    from harness.submission.pairs import PairInputs, has_pairs, read_pairs
    from harness.submission.references import References, read_references
    from harness.submission.reply_text import CanonicalText, canonical_text

__all__ = [
    "CanonicalText",
    "Outcome",
    "PairInputs",
    "Recording",
    "Recordings",
    "References",
    "canonical_digests",
    "canonical_text",
    "canonical_wavs",
    "check",
    "has_pairs",
    "read_pairs",
    "read_references",
]
_HOMES = {  # no module has the name of what it defines: importing it would hide that
    "canonical_copies": ("Recording", "Recordings", "canonical_digests", "canonical_wavs"),
    "checking": ("Outcome", "check"),
    "pairs": ("PairInputs", "has_pairs", "read_pairs"),
    "references": ("References", "read_references"),
    "reply_text": ("CanonicalText", "canonical_text"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
