"""What is alike between teams that should differ, and what differs between runs that should be alike: for a person to
look at after the scores are there. None of it changes a score, and none of it stands in any team's files.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from harness.challenge.spec import Challenge, ReviewRules
from harness.documents.codes import finding
from harness.documents.duplex import Transcript
from harness.documents.reference import ReferenceDialogue
from harness.documents.run_record import RunRecord
from harness.documents.run_review import RunFlag
from harness.documents.submission import Submission
from harness.documents.verdict import JudgeRequest
from harness.evaluation.judge_lock import file_digest
from harness.scoring import Key
from harness.submission import canonical_digests

_LETTERS = re.compile(r"[\W_]+")
_SHORTEST = 8  # letters; shorter replies are alike by chance
_COMPARED_REPLIES = 200  # evenly out of all
_COMPARED_CHARS = 600
_SILENT = frozenset({"E_WAV_SILENT"})


@dataclass(frozen=True, slots=True)
class HandIn:
    """What counts of one team. ``source`` is the digest of what it handed in; ``replies`` the last reply of each
    dialogue; ``audio`` the digests of the canonical WAVs that were judged."""

    team: str
    source: str
    replies: Mapping[Key, str]
    audio: frozenset[str]
    runs: Mapping[str, Sequence[RunRecord]] = field(default_factory=dict)


def hand_in(
    team: str,
    source: str,
    submission: Submission,
    requests: Iterable[JudgeRequest],
    runs: Mapping[str, Sequence[RunRecord]],
) -> HandIn:
    """``runs`` maps each image that the team handed in to the records of its runs."""
    replies = {
        (each.task, each.language, each.dialogue_id): each.turns[-1].text or ""
        for each in submission.dialogues
        if each.turns
    }
    audio = frozenset(Path(request.audio).stem for request in requests if request.audio is not None)
    return HandIn(team, source, replies, audio, runs)


def hand_in_of_pairs(
    team: str,
    source: str,
    submission: Submission,
    words: Mapping[str, Transcript | None],
    runs: Mapping[str, Sequence[RunRecord]],
) -> HandIn:
    """As `hand_in` of a full-duplex track: the words of the outputs that are compared, and the digests of the WAVs as
    they are."""
    compared = _sampled({("pair", "", path) for path in submission.pairs})
    said = {key: words.get(key[2]) for key in compared}
    replies = {key: each.text[:_COMPARED_CHARS] for key, each in said.items() if each is not None}
    audio = (each.sha256 for each in submission.pairs.values() if each.state == "ok")
    return HandIn(team, source, replies, frozenset(sha256 for sha256 in audio if sha256 is not None), runs)


def given_pairs(paths: Iterable[Path]) -> frozenset[str]:
    """The digests of the organisers' own full-duplex WAVs as they are."""
    return frozenset(file_digest(path).removeprefix("sha256:") for path in paths)


def given_audio(
    dialogues: Sequence[ReferenceDialogue], root: Path, challenge: Challenge, layout: str
) -> frozenset[str]:
    """The canonical digests of the organisers' own WAVs; those that no submission could hold are left out."""
    names = challenge.layouts[layout]
    wavs = [
        root / Path(names.jsonl_path(dialogue.language, dialogue.task)).parent / turn.audio_file
        for dialogue in dialogues
        for turn in dialogue.turns
        if turn.audio_file is not None
    ]
    found = canonical_digests(wavs, challenge, accepted=_SILENT)
    return frozenset(digest for digest in found if digest is not None)


def run_flags(handed: Sequence[HandIn], given: frozenset[str], rules: ReviewRules) -> tuple[RunFlag, ...]:
    """F_DUP_SUBMISSION, F_DUP_AUDIO and W_NONDET of a whole run, sorted by code and teams."""
    found = [*_same_source(handed), *_same_replies(handed, rules), *_same_audio(handed, given)]
    found += [flag for each in handed for flag in differing_runs(each.team, each.runs)]
    return tuple(sorted(found, key=lambda flag: (flag.code, flag.teams)))


def _same_source(handed: Sequence[HandIn]) -> list[RunFlag]:
    by_source: dict[str, list[HandIn]] = defaultdict(list)
    for each in handed:
        by_source[each.source].append(each)
    return [
        _flag("F_DUP_SUBMISSION", [each.team for each in same], len(same[0].replies), len(same[0].replies))
        for same in by_source.values()
        if len(same) > 1
    ]


def _same_replies(handed: Sequence[HandIn], rules: ReviewRules) -> list[RunFlag]:
    """Pairs of teams with nearly the same text in at least half of the dialogues that both answered."""
    import numpy as np
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    sources = {each.team: each.source for each in handed}
    alike, both = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    least = rules.constant_percent / 100
    for key in _sampled({key for each in handed for key in each.replies}):
        texts = {each.team: _letters(each.replies.get(key, "")) for each in handed}
        teams = sorted(team for team, text in texts.items() if len(text) >= _SHORTEST)
        given = [texts[team] for team in teams]
        near = cdist(given, given, scorer=Levenshtein.normalized_similarity, score_cutoff=least, dtype=np.float32)
        for first, second in combinations(range(len(teams)), 2):
            pair = (teams[first], teams[second])
            both[pair] += 1
            alike[pair] += bool(near[first, second] >= least)
    return [
        _flag("F_DUP_SUBMISSION", pair, alike[pair], total)
        for pair, total in both.items()
        if 2 * alike[pair] >= total and sources[pair[0]] != sources[pair[1]]
    ]


def _sampled(keys: set[Key]) -> list[Key]:
    ordered = sorted(keys)
    return ordered[:: -(-len(ordered) // _COMPARED_REPLIES) or 1]


def _letters(text: str) -> str:
    return _LETTERS.sub("", text.casefold())[:_COMPARED_CHARS]


def _same_audio(handed: Sequence[HandIn], given: frozenset[str]) -> list[RunFlag]:
    """The same sound (as it is judged) from two teams, or from a team and the inputs."""
    owners: dict[str, list[str]] = defaultdict(list)
    for each in handed:
        for digest in each.audio:
            owners[digest].append(each.team)
    shared = Counter(pair for teams in owners.values() for pair in combinations(sorted(teams), 2))
    sizes = {each.team: len(each.audio) for each in handed}
    found = [_flag("F_DUP_AUDIO", pair, count, min(sizes[team] for team in pair)) for pair, count in shared.items()]
    echoes = [(each, len(each.audio & given)) for each in handed]
    return found + [_flag("F_DUP_AUDIO", [each.team], count, len(each.audio)) for each, count in echoes if count]


def differing_runs(team: str, runs: Mapping[str, Sequence[RunRecord]]) -> list[RunFlag]:
    """W_NONDET for each image of which two finished runs left different files. The run that the journal has first
    stays what it is: nothing is averaged or chosen."""
    found = []
    for records in runs.values():
        finished = [
            {output.path: output.sha256 for output in record.outputs}
            for record in records
            if record.state == "completed"
        ]
        paths = sorted({path for outputs in finished for path in outputs})
        differ = sum(len({outputs.get(path) for outputs in finished}) > 1 for path in paths)
        if differ:
            found.append(_flag("W_NONDET", [team], differ, len(paths)))
    return found


def _flag(code: str, teams: Iterable[str], count: int, of: int) -> RunFlag:
    named = tuple(sorted(teams))
    other = "the organisers' inputs" if len(named) == 1 else ""
    message = finding(code, teams=" and ".join((*named, *([other] if other else []))), count=count, of=of).message
    return RunFlag(code, named, message, count, of)
