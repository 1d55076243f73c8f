"""A submission from its path to a report: every problem of every file in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.challenge.spec import Challenge, Layout
from harness.documents.finding import ChallengeRef, Checked, ValidationReport
from harness.documents.reference import ReferenceDialogue
from harness.documents.submission import ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.errors import UsageError
from harness.submission.ledger import Ledger
from harness.submission.pairs import PairInputs, check_pairs, looks_like_outputs
from harness.submission.readers.pdf import PageCount
from harness.submission.readers.refusal import Refusal, printable, quoted
from harness.submission.readers.tree import Tree
from harness.submission.references import check_data
from harness.submission.rules import audio, description, dialogues, layout, manifest, replies
from harness.submission.rules.team import team_of
from harness.submission.settings import CheckSettings, Part, by_pair
from harness.submission.source import Source, open_source
from harness.system import path_text

DATA_LAYOUT = "data"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report, and what later stages use: ``submission`` when there is anything usable, ``root`` the folder where
    its files lie (the folder itself, or the private one below ``work`` that an archive was unpacked into)."""

    report: ValidationReport
    submission: Submission | None
    root: Path | None


def check(
    path: Path,
    challenge: Challenge,
    *,
    layout: str = "auto",
    expected: Sequence[ReferenceDialogue] | None = None,
    track: str | None = None,
    team: str | None = None,
    draft: bool = False,
    policy: str = "strict",
    from_image: bool = False,
    work: Path | None = None,
    pairs: PairInputs | None = None,
) -> Outcome:
    """Check one submission: a folder or an archive.

    ``pairs`` are the inputs of a full-duplex track, whose outputs must be there and as long as they are.

    ``expected`` are the dialogues that must be there; without them completeness is not judged. ``from_image`` is for
    what a container wrote: no manifest or PDF is asked for, and a fault of one item is a warning that costs that item.
    An archive is unpacked below ``work`` and stays there; without ``work`` it is removed again and ``root`` is None.

    Raises UsageError for a path, layout, track or policy that does not exist, MachineError when the disk is full.
    """
    if policy not in challenge.policies:
        known = ", ".join(challenge.policies)
        raise UsageError(f"there is no policy {policy!r}", code="E_USAGE", hint=f"the policies are {known}")
    settings = CheckSettings(
        challenge,
        layout,
        by_pair(expected) if expected is not None else None,
        track,
        team,
        draft,
        policy,
        from_image,
        pairs,
    )
    ledger = Ledger(draft, from_image)
    try:
        with open_source(path, work, challenge.read_limits) as source:
            result = _check_source(source, settings, ledger)
            keep = work is not None or path.is_dir()
    except Refusal as refusal:
        ledger.refuse(refusal)
        return Outcome(report_of(path, ledger, Checked(), challenge), None, None)
    report = report_of(path, ledger, result.checked, challenge)
    return Outcome(report, result.submission, result.root if keep else None)


def report_of(path: Path, ledger: Ledger, checked: Checked, challenge: Challenge) -> ValidationReport:
    """The ledger as a document; its subject is the path's last name, so that a report can move with its files."""
    findings, truncated = ledger.findings.result()
    return ValidationReport(
        schema_version=1,
        subject=printable(path_text(Path(path.name or path.resolve().name))),
        valid=not ledger.findings.has_errors,
        findings=findings,
        checked=checked,
        truncated=truncated,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        harness_version=__version__,
    )


@dataclass(frozen=True, slots=True)
class _Result:
    checked: Checked
    submission: Submission | None = None
    root: Path | None = None


def report_source(source: Source, ledger: Ledger) -> None:
    """What listing already found: junk that was left out, entries that were refused."""
    if source.junk:
        ledger.add("W_ARC_JUNK", count=len(source.junk), name=quoted(source.junk[0]))
    for refusal in source.tree.refusals:
        ledger.refuse_item(refusal)


def _check_source(source: Source, settings: CheckSettings, ledger: Ledger) -> _Result:
    if settings.layout == DATA_LAYOUT:
        return _Result(check_data(source, settings.challenge, ledger), root=source.tree.root)
    report_source(source, ledger)
    if looks_like_outputs(source.tree, settings.challenge, settings.track):
        return _Result(*check_pairs(source.tree, settings, ledger))
    place = layout.find_place(source.tree, settings.challenge, settings.layout, settings.track, ledger)
    if place is None:
        return _Result(Checked(files=len(source.tree.files)))
    with ExitStack() as stack:
        pdf = _start_pdf(place, settings, ledger, stack)
        facts = _manifest(place, settings, ledger)
        checks = stack.enter_context(audio.WavChecks(place.tree, settings.challenge))
        found = _parts(place, settings, ledger, checks)
        wavs = _audio(place.tree, found, checks, ledger)
        if pdf is not None and pdf[1] is not None:
            description.report_pages(pdf[1], pdf[0], settings.challenge.min_pages, ledger)
    extra = {pdf[0]} if pdf else set()
    known = _known_files(place, settings, found) | extra | ({layout.MANIFEST} if not settings.from_image else set())
    layout.report_extras(place.tree, known, ledger)
    submission = _submission(place, facts, pdf[0] if pdf else None, found, wavs, settings, ledger)
    checked = Checked(
        files=len(known & place.tree.files.keys()),
        dialogues=len(found),
        audio_seconds=round(sum(wav.audio.duration_s for wav in wavs.values()), 3),
    )
    return _Result(checked, submission, place.tree.root)


def _start_pdf(
    place: layout.Place, settings: CheckSettings, ledger: Ledger, stack: ExitStack
) -> tuple[str, PageCount | None] | None:
    if settings.from_image:
        return None
    path = description.find_pdf(place.tree, place.layout, ledger)
    if path is None:
        return None
    count = description.start_counting(place.tree, path, ledger)
    if count is not None:
        stack.callback(count.close)
    return path, count


def _manifest(place: layout.Place, settings: CheckSettings, ledger: Ledger) -> manifest.Manifest:
    if settings.from_image:
        return manifest.Manifest()
    if layout.MANIFEST in place.tree.files:
        return manifest.read_manifest(place.tree, settings, ledger)
    if place.layout.manifest == "required":
        layout.report_missing([layout.MANIFEST], place.tree, ledger)
    return manifest.Manifest()


def _parts(
    place: layout.Place, settings: CheckSettings, ledger: Ledger, checks: audio.WavChecks
) -> list[replies.RepliedDialogue]:
    """Every JSONL of the layout: read it, or report that it is missing. Those with audio come first, so that their
    WAVs are checked while the others are read."""
    found: list[replies.RepliedDialogue] = []
    missing: list[str] = []
    wanted = _wanted(place.layout, settings)
    for part, required in sorted(wanted, key=lambda each: each[0].task.audio_required == "none"):
        if part.jsonl in place.tree.files:
            raw = dialogues.read_dialogues(place.tree, part, settings.challenge, ledger)
            answered = replies.read_replies(raw, part, settings.challenge, ledger)
            checks.ask(reply.wav for dialogue in answered for reply in dialogue.replies if reply.wav is not None)
            found += answered
        elif required:
            missing.append(part.jsonl)
    layout.report_missing(missing, place.tree, ledger, taken={part.jsonl for part, _ in wanted})
    order = [part.jsonl for part, _ in wanted]
    return sorted(found, key=lambda dialogue: order.index(dialogue.part.jsonl))


def _wanted(layout_: Layout, settings: CheckSettings) -> list[tuple[Part, bool]]:
    """The JSONLs that are read, and whether each must be there: ranked tasks must, unless the inputs lack them."""
    wanted = []
    for language in settings.challenge.languages:
        for name in layout_.names:
            task = settings.challenge.tasks[name]
            if settings.track not in (None, task.track):
                continue
            expected = None if settings.expected is None else settings.expected.get((name, language))
            asked = settings.expected is None or expected is not None
            if asked or not task.ranked:
                wanted.append((Part(task, language, layout_, expected), task.ranked and asked))
    return wanted


def _audio(
    tree: Tree, found: Sequence[replies.RepliedDialogue], checks: audio.WavChecks, ledger: Ledger
) -> dict[str, audio.CheckedWav]:
    wanted = {reply.wav for dialogue in found for reply in dialogue.replies if reply.wav is not None}
    layout.report_missing(sorted(wanted - tree.files.keys()), tree, ledger, taken=wanted)
    checked = checks.results()
    audio.report_wavs(checked.values(), ledger)
    return checked


def _known_files(place: layout.Place, settings: CheckSettings, found: Sequence[replies.RepliedDialogue]) -> set[str]:
    """Everything that the layout names: result files, and the WAVs of all turns, those of absent dialogues too."""
    known = {part.jsonl for part, _ in _wanted(place.layout, settings)}
    known |= {reply.wav for dialogue in found for reply in dialogue.replies if reply.wav is not None}
    for part, _ in _wanted(place.layout, settings):
        if part.task.audio_required == "none":
            continue
        for name, reference in (part.dialogues or {}).items():
            known |= {
                place.layout.audio_path(part.language, part.task.id, name, turn.turn_id) for turn in reference.turns
            }
    return known


def _submission(
    place: layout.Place,
    facts: manifest.Manifest,
    pdf: str | None,
    found: Sequence[replies.RepliedDialogue],
    wavs: dict[str, audio.CheckedWav],
    settings: CheckSettings,
    ledger: Ledger,
) -> Submission | None:
    constant = audio.constant_audio(found, wavs, ledger)
    team, display_name = team_of(facts, pdf, place.layout, settings, ledger)
    tracks = {settings.challenge.tasks[name].track for name in place.layout.names}
    track = settings.track or next((name for name in facts.tracks if name in tracks), min(tracks))
    if facts.tracks and track not in facts.tracks and not settings.track:
        what = f"the files are of {track}, but submission.json lists {', '.join(facts.tracks)}"
        ledger.add("E_MANIFEST_TRACK", file=layout.MANIFEST, pointer="/tracks", what=quoted(what)[1:-1])
    if team is None:
        return None
    return Submission(
        team=team,
        display_name=facts.display_name or display_name,
        system=facts.system,
        layout=place.layout.id,
        track=track,
        dialogues=tuple(_dialogue(dialogue, wavs, constant) for dialogue in found),
        resources=facts.resources,
        declarations=facts.declarations,
    )


def _dialogue(
    dialogue: replies.RepliedDialogue, wavs: dict[str, audio.CheckedWav], constant: set[str]
) -> ReplyDialogue:
    turns = []
    for reply in dialogue.replies:
        heard, flags = None, reply.flags
        if reply.wav is not None:
            heard = wavs[reply.wav].audio if reply.wav in wavs else ReplyAudio(reply.wav, "missing")
            flags = (*flags, "F_CONST_AUDIO") if heard.sha256 in constant else flags
        turns.append(ReplyTurn(reply.turn_id, reply.text, heard, flags, reply.labels))
    part = dialogue.part
    return ReplyDialogue(part.task.id, part.language, dialogue.dialogue_id, tuple(turns))
