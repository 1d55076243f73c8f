"""The organisers' side of a whole evaluation: what images get, and what the answers are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codec import jsonl, to_plain
from harness.errors import UsageError
from harness.evaluation.duplex_timing import pair_rules
from harness.evaluation.likeness import given_audio, given_pairs
from harness.evaluation.run import usable_pairs, usable_references
from harness.evaluation.stored_pairs import pair_gold_bytes
from harness.submission import References

_PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Sides:
    """``gold`` is the references as they are kept, ``layout`` how they lie, ``languages`` what is spoken in them;
    ``given`` reads the digests of the inputs' audio."""

    gold: bytes
    layout: str
    languages: frozenset[str]
    given: Callable[[], frozenset[str]]


def read_sides(inputs: Path, references: Path, challenge: Challenge, track: str) -> Sides:
    """Both folders, checked. Raises UsageError (E_GOLD)."""
    rules = pair_rules(challenge, track)
    if rules is not None:
        return _pairs(inputs, references, challenge, rules)
    gold = usable_references(references, challenge, need_labels=True)
    heard = usable_references(inputs, challenge, need_labels=False)
    languages = frozenset(dialogue.language for dialogue in gold.dialogues)
    given = partial(given_audio, heard.dialogues, heard.root, challenge, heard.layout)
    return Sides(gold_bytes(gold), gold.layout, languages, given)


def gold_bytes(references: References) -> bytes:
    """The organisers' dialogues as they are kept."""
    return jsonl([to_plain(dialogue) for dialogue in references.dialogues])


def _pairs(inputs: Path, references: Path, challenge: Challenge, rules: DuplexRules) -> Sides:
    gold = usable_pairs(references, challenge, rules, need_key=True)
    heard = usable_pairs(inputs, challenge, rules, need_key=False)
    differ = sorted(
        path for path in {*gold.audio_s, *heard.audio_s} if gold.audio_s.get(path) != heard.audio_s.get(path)
    )
    if differ:
        raise UsageError(
            f"{len(differ)} WAVs of {inputs} and {references} differ or are in one alone, {differ[0]}.wav first",
            code="E_GOLD",
            hint="the inputs are the references without key.jsonl, or the same folder",
        )
    paths = [heard.root / f"{path}.wav" for path in sorted(heard.audio_s)]
    languages = frozenset(item.language for item in gold.key)
    return Sides(pair_gold_bytes(gold), _PAIRS, languages, partial(given_pairs, paths))
