"""A full-duplex hand-in in a run: its check, and what is heard of the one that counts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.documents.codec import canonical_json, pretty_json, to_plain
from harness.documents.submission import Submission
from harness.errors import UsageError
from harness.evaluation.pair_asking import AskTerms, pair_requests
from harness.evaluation.pair_judging import canonical_outputs
from harness.evaluation.pair_listening import Speech, listen, read_speech, speech_lines
from harness.evaluation.pair_words import PairWords, counted_items, pair_words, read_words, words_lines
from harness.evaluation.preparing import changed, requests_lines, source_digest
from harness.evaluation.recognising import Recogniser
from harness.evaluation.tasks import Heard, HearTask, Prepared, PrepareTask
from harness.judge.requests import AUDIO
from harness.submission import Outcome, PairInputs, check


@dataclass(frozen=True, slots=True)
class Ears:
    """``inputs`` is where the inputs' WAVs lie, ``transcripts`` the folder of the team's ready words, ``recogniser``
    makes one ready when something has to be written down."""

    inputs: Path
    transcripts: Path | None
    recogniser: Callable[[], Recogniser] | None


def prepare_pairs(task: PrepareTask | HearTask, gold: PairInputs, terms: AskTerms) -> Prepared:
    """Check a hand-in. Raises as `check` does."""
    with _checked(task, gold, terms) as (source, outcome):
        return _prepared(source, outcome)


def _prepared(source: str, outcome: Outcome) -> Prepared:
    validation = pretty_json(to_plain(outcome.report))
    if not outcome.report.valid or outcome.submission is None or outcome.root is None:
        return Prepared(source, False, validation, None, None)
    return Prepared(source, True, validation, canonical_json(to_plain(outcome.submission)) + b"\n", None)


def heard_again(task: PrepareTask, gold: PairInputs, terms: AskTerms, stored: bytes) -> tuple[Prepared, bytes]:
    """The check of a hand-in, and the speech of its outputs beside that of the inputs in ``stored``, whose WAVs a run
    does not keep. Raises as `check` and `listen` do."""
    with _checked(task, gold, terms) as (source, outcome):
        prepared = _prepared(source, outcome)
        if prepared.submission is None or outcome.submission is None or outcome.root is None:
            return prepared, stored
        items = counted_items(gold.key, terms.rules)
        now = listen(items, outcome.submission, None, outcome.root, terms.challenge, terms.rules)
        return prepared, _speech(now, stored)


def _refuse_unwritten(team: str, submission: Submission, words: PairWords) -> None:
    """An output that somebody could not write down has no delay and no label, and that is not the team's fault."""
    spoken = {path for path, audio in submission.pairs.items() if audio.state == "ok"}
    lacking = sorted(path for path, said in words.by_input.items() if said is None and path in spoken)
    if lacking:
        raise UsageError(
            f"{len(lacking)} outputs of {team} have no words ({lacking[0]} first): there are no ready ones, and the "
            "recogniser does not know the language or failed on them",
            code="E_TRANSCRIPT",
            hint="put ready words into the folder of --transcripts, then run the same command again",
        )


def _speech(heard: Mapping[str, Speech], others: bytes | None) -> bytes:
    """What was heard, with the users' side out of ``others`` where nobody listened to it."""
    if others is None:
        return speech_lines(heard)
    users = read_speech(others)
    return speech_lines({name: Speech(users[name].user, each.model) for name, each in heard.items()})


def hear_pairs(task: HearTask, gold: PairInputs, terms: AskTerms, ears: Ears) -> Heard:
    """Listen, write down, and make the requests; the canonical audio that they name is made below ``task.work``.

    Raises Refused (E_CHANGED) when a file is no longer what was checked, and as `listen` and `pair_words` do.
    """
    items, challenge = counted_items(gold.key, terms.rules), terms.challenge
    with _checked(task, gold, terms) as (source, outcome):
        submission, root = outcome.submission, outcome.root
        if source != task.checked or submission is None or root is None:
            raise changed(task.team)
        if task.heard is None:
            silent, given, makes = _ignore, ears.transcripts, ears.recogniser
            words = pair_words(items, submission, root, given, makes, challenge, silent, clean=True, gpu=task.gpu)
            _refuse_unwritten(task.team, submission, words)
            inputs = ears.inputs if task.others is None else None
            speech = _speech(listen(items, submission, inputs, root, challenge, terms.rules), task.others)
        else:
            speech, words = task.heard[0], PairWords(read_words(task.heard[1], submission))
        sounds = canonical_outputs(items, submission, root, words, task.work / AUDIO, challenge)
    requests = requests_lines(pair_requests(items, words, sounds, terms).by_place())
    return Heard(speech, words_lines(words), requests)


@contextmanager
def _checked(task: PrepareTask | HearTask, gold: PairInputs, terms: AskTerms) -> Iterator[tuple[str, Outcome]]:
    """The digest of what was handed in, and what a check says of it; its files are there until the block ends."""
    with tempfile.TemporaryDirectory(dir=task.work, prefix="unpacked-") as unpacked:
        source = source_digest(task.source)
        yield (
            source,
            check(
                task.source,
                terms.challenge,
                layout="seed" if task.collected else "auto",
                track=terms.rules.track,
                team=task.team,
                policy=terms.policy,
                from_image=task.collected,
                work=Path(unpacked),
                pairs=gold,
            ),
        )


def _ignore(text: str) -> None:
    """Nobody reads along with a worker."""
