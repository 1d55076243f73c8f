"""What a check of a run directory found, and what a repeated scoring is made from."""

from __future__ import annotations

from dataclasses import dataclass

from harness.documents.finding import ChallengeRef


@dataclass(frozen=True, slots=True)
class Difference:
    """``where`` is a path in the run, with a line or a pointer where one is known; ``what`` says it in a sentence.
    ``stored`` and ``recomputed`` are JSON values as text, None where there is nothing to show."""

    where: str
    what: str
    stored: str | None = None
    recomputed: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """An attestation that holds: ``keyid`` is of the public key that was given."""

    path: str
    keyid: str
    subjects: int


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """schemas/verification-report. ``difference`` is the first one; None when there is none.

    ``finished``: every team is in a final state; ``published``: the table is there. ``checked`` counts what was
    recomputed; ``not_stored`` names the teams whose hand-ins were not looked at, since a run keeps none.
    ``scoring`` is the fingerprint of what decided the scores, ``made_by`` lists the programs that worked on the run.
    """

    schema_version: int
    run: str
    verified: bool
    finished: bool
    published: bool
    difference: Difference | None
    checked: dict[str, int]
    not_stored: tuple[str, ...]
    scoring: str
    made_by: tuple[dict[str, str], ...]
    attestation: Signature | None
    harness_version: str


@dataclass(frozen=True, slots=True)
class ScoringTerms:
    """What decides scores beside what was handed in and judged; ``fingerprint`` is the digest of the rest."""

    fingerprint: str
    challenge: ChallengeRef
    policy: str
    judge: str
    gold: str


@dataclass(frozen=True, slots=True)
class RescoreRecord:
    """schemas/rescore-record. ``pins`` and ``journal`` are the digests of the run's run.json and of the last record
    that was read; ``code`` is the digest of the program that scored again."""

    schema_version: int
    pins: str
    journal: str
    before: ScoringTerms
    after: ScoringTerms
    harness_version: str
    code: str
