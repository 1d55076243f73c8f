"""What a system said in its outputs: ready transcripts where they are given, a recogniser for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codec import canonical_json, jsonl, write_atomic
from harness.documents.duplex import DuplexInput, Transcript, input_path
from harness.documents.submission import ReplyAudio, Submission
from harness.duplex.transcripts import read_transcript, transcript_plain
from harness.evaluation.given_words import given_transcript
from harness.evaluation.recognising import Recogniser, Spoken, recognise

WORDS = "words"
_SAID_NOTHING = Transcript("", ())


@dataclass(frozen=True, slots=True)
class PairWords:
    """Transcripts by the input's path without .wav; None where nobody wrote anything down. ``fingerprint`` and
    ``profile`` are the recogniser's, empty when it wrote nothing."""

    by_input: Mapping[str, Transcript | None] = field(default_factory=dict)
    profile: str = ""
    fingerprint: str = ""

    def of(self, name: str) -> Transcript | None:
        return self.by_input.get(input_path(name))


def counted_items(key: Sequence[DuplexInput], rules: DuplexRules) -> list[DuplexInput]:
    """The inputs that count: all but those that the challenge leaves out."""
    return [item for item in key if item.file.rpartition("/")[2] not in rules.excluded]


def pair_words(
    items: Sequence[DuplexInput],
    submission: Submission,
    root: Path,
    given: Path | None,
    recogniser: Callable[[], Recogniser] | None,
    challenge: Challenge,
    progress: Callable[[str], None],
    *,
    clean: bool,
    gpu: str | None = None,
) -> PairWords:
    """The words of every output of ``items``, with ``clean`` of the clean counterparts' too. ``root`` is where the
    submission's files lie; ``recogniser`` makes one ready, and is only asked when something has to be written down;
    ``gpu`` is a device that it gets.

    Raises UsageError (E_TRANSCRIPT…) for a given transcript that cannot be used, before anything is recognised, and
    what `recognise` raises.
    """
    found: dict[str, Transcript | None] = {}
    waiting: dict[str, Spoken] = {}
    for name, language in _wanted(items, clean=clean):
        path = input_path(name)
        audio = submission.pairs.get(path) or ReplyAudio("", "missing")
        if audio.state == "silent":
            found[path] = _SAID_NOTHING
            continue
        found[path] = given_transcript(given, audio) if audio.state == "ok" else None
        if found[path] is None and audio.state == "ok":
            waiting[path] = Spoken(root / audio.path, language, audio.duration_s, audio.sha256)
    if not waiting or recogniser is None:
        return PairWords(found)
    ready = recogniser()
    known = sum(file.language in ready.specs for file in waiting.values())
    progress(f"writing down {known} outputs with the recogniser {ready.profile}")
    if known < len(waiting):
        progress(f"it does not know the language of {len(waiting) - known} others")
    found |= recognise(waiting, ready, challenge, gpu=gpu)
    return PairWords(found, ready.profile, ready.fingerprint)


def _wanted(items: Sequence[DuplexInput], *, clean: bool) -> list[tuple[str, str]]:
    names = [(item.file, item.language) for item in items]
    return names + [(item.clean, item.language) for item in items if clean and item.clean is not None]


def keep_words(folder: Path, words: PairWords, submission: Submission) -> None:
    """Leave what is known where `--transcripts` finds it again."""
    for path, transcript in words.by_input.items():
        audio = submission.pairs.get(path)
        if transcript is not None and audio is not None and audio.state == "ok":
            plain = json.dumps(transcript_plain(transcript), ensure_ascii=False, separators=(",", ":"))
            write_atomic((folder / audio.path).with_suffix(".json"), plain.encode() + b"\n")


def words_lines(words: PairWords) -> bytes:
    """A line an output that may speak: the path of its input and its transcript, null where nobody wrote it down."""
    rows = sorted(words.by_input.items())
    return jsonl([{"path": path, "transcript": said and transcript_plain(said)} for path, said in rows])


def read_words(raw: bytes, submission: Submission) -> dict[str, Transcript | None]:
    """The opposite of `words_lines`, through the reader of all transcripts. Raises BadTranscript."""
    found: dict[str, Transcript | None] = {}
    for line in raw.splitlines():
        row = json.loads(line)
        audio = submission.pairs.get(row["path"]) or ReplyAudio("", "missing")
        said = row["transcript"]
        found[row["path"]] = None if said is None else read_transcript(canonical_json(said), audio.duration_s)
    return found
