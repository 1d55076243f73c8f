"""What a worker is asked to do, and what it answers: plain values that travel between processes and machines.

A task reads the organisers' files and writes only below its own ``work`` folder; documents come back as bytes. So any
task can be done again, anywhere, by anyone: nothing is lost with a worker but time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.documents.duplex import HearingTerms
from harness.documents.verdict import JudgeRequest


@dataclass(frozen=True, slots=True)
class Setting:
    """What all tasks of one evaluation share. Paths are the same on every machine that does tasks; ``run`` is the
    evaluation's nonce, which its containers carry, ``fingerprint`` the judge and ``challenge_digest`` the spec that are
    pinned; ``gold`` and ``inputs_digest`` are what is pinned of the two folders, None where nothing is. ``hearing`` is
    there for a full-duplex track, ``recogniser_weights`` and ``transcripts`` (a folder a team) where they are given."""

    challenge: str
    inputs: Path
    references: Path
    profile: str
    policy: str
    track: str
    fingerprint: str
    run: str
    seed: str
    limits: Path | None = None
    fresh: bool = False
    challenge_digest: str | None = None
    gold: str | None = None
    inputs_digest: str | None = None
    hearing: HearingTerms | None = None
    recogniser_weights: Path | None = None
    transcripts: Path | None = None


@dataclass(frozen=True, slots=True)
class RunTask:
    """Run ``image`` on the inputs and leave its outputs in ``work``/submission."""

    team: str
    image: str
    work: Path
    gpu: str | None = None
    stage: str = "run"


@dataclass(frozen=True, slots=True)
class PrepareTask:
    """Check ``source`` and make what the judge needs: requests, and canonical audio below ``work``. ``collected``: it
    is what an image wrote."""

    team: str
    source: Path
    collected: bool
    work: Path
    stage: str = "prepare"


@dataclass(frozen=True, slots=True)
class HearTask:
    """Listen to the full-duplex ``source``, write its words down, and make what the judge needs as a PrepareTask does.
    ``checked`` is the digest of what was found valid, ``words`` the folder of its ready words below the setting's.
    ``heard`` are the speech and the words when they are known: then only the audio is made again. ``others`` is the
    speech of another team's pairs, so that nobody listens to the inputs again."""

    team: str
    source: Path
    collected: bool
    work: Path
    checked: str
    words: str
    heard: tuple[bytes, bytes] | None = None
    others: bytes | None = None
    gpu: str | None = None
    stage: str = "hear"


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """Judge ``requests``, whose audio lies in ``audio``. ``work`` is for this task alone."""

    team: str
    requests: tuple[JudgeRequest, ...]
    audio: Path
    work: Path
    gpu: str | None = None
    stage: str = "judge"


Task = RunTask | PrepareTask | HearTask | JudgeTask


@dataclass(frozen=True, slots=True)
class Ran:
    """``record`` is run.json; ``log`` what the container printed, for organisers."""

    record: bytes
    log: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """``source`` is the digest of what was handed in, ``validation`` its report. An invalid submission has no
    ``submission`` (the canonical document) and no ``requests`` (a line a judged item: its place and the request); a
    full-duplex one has no requests before it was heard."""

    source: str
    valid: bool
    validation: bytes
    submission: bytes | None
    requests: bytes | None


@dataclass(frozen=True, slots=True)
class Heard:
    """JSONL each: where both sides of every pair speak, the outputs' words, and the requests as in Prepared."""

    speech: bytes
    words: bytes
    requests: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """``verdicts`` is JSONL; it holds failed ones too. ``canaries``: how the judge marked its known-answer items (JSON:
    ``check``, a CanaryCheck or null, and ``verdicts`` by name)."""

    verdicts: bytes
    canaries: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """Our side failed. ``again``: it is worth trying once more. ``detail`` is for organisers."""

    code: str
    message: str
    hint: str
    again: bool
    detail: str = ""


Result = Ran | Prepared | Heard | Judged | Failure
