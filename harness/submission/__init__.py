"""What a team hands in: strict readers and rules. `check` is the way in; nothing here runs anything of a team."""

from harness.submission.canonical_audio import canonical_bytes, canonical_samples, canonical_wav, read_wav
from harness.submission.canonical_text import CanonicalText, canonical_text
from harness.submission.check import Outcome, check
from harness.submission.references import References, read_references

__all__ = [
    "CanonicalText",
    "Outcome",
    "References",
    "canonical_bytes",
    "canonical_samples",
    "canonical_text",
    "canonical_wav",
    "check",
    "read_references",
    "read_wav",
]
