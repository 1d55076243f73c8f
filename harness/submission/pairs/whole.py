"""A whole submission of a full-duplex track: outputs, description, manifest, team."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from harness.challenge.duplex import DuplexLayout, DuplexRules
from harness.documents.finding import Checked
from harness.documents.submission import Submission
from harness.errors import UsageError
from harness.submission.ledger import Ledger
from harness.submission.pairs.outputs import Outputs, check_outputs, place_outputs
from harness.submission.readers.pdf import PageCount
from harness.submission.readers.tree import Tree
from harness.submission.rules import description, layout, manifest
from harness.submission.rules.team import team_of
from harness.submission.settings import CheckSettings

Result = tuple[Checked, Submission | None, Path]


def check_pairs(tree: Tree, settings: CheckSettings, ledger: Ledger) -> Result:
    """Every problem of the submission in ``tree``, what later stages use of it, and where its files lie.

    Raises UsageError for a layout that the track does not have (E_USAGE) or a challenge without such a track.
    """
    rules = settings.challenge.duplex
    if rules is None:
        raise UsageError("the challenge has no full-duplex track", code="E_CONFIG", hint="pass another --challenge")
    place, tree = place_outputs(tree, rules, settings.layout, ledger)
    with ExitStack() as stack:
        pdf = None if settings.from_image else description.find_pdf(tree, place, ledger)
        pages = _start_pages(tree, pdf, ledger, stack)
        facts = _manifest(tree, place, settings, ledger)
        outputs = check_outputs(tree, settings.challenge, rules, place, settings.pairs, ledger)
        if pdf is not None and pages is not None:
            description.report_pages(pages, pdf, settings.challenge.min_pages, ledger)
    known = {*outputs.known, layout.MANIFEST, *([] if pdf is None else [pdf])}
    layout.report_extras(tree, known | _beside(tree, settings), ledger)
    checked = Checked(
        files=len(known & tree.files.keys()),
        dialogues=len(outputs.known),
        audio_seconds=round(sum(audio.duration_s for audio in outputs.pairs.values()), 3),
    )
    return checked, _submission(facts, pdf, place, outputs, rules, settings, ledger), tree.root


def _start_pages(tree: Tree, pdf: str | None, ledger: Ledger, stack: ExitStack) -> PageCount | None:
    count = None if pdf is None else description.start_counting(tree, pdf, ledger)
    if count is not None:
        stack.callback(count.close)
    return count


def _manifest(tree: Tree, place: DuplexLayout, settings: CheckSettings, ledger: Ledger) -> manifest.Manifest:
    if settings.from_image:
        return manifest.Manifest()
    if layout.MANIFEST in tree.files:
        return manifest.read_manifest(tree, settings, ledger)
    if place.manifest == "required":
        layout.report_missing([layout.MANIFEST], tree, ledger)
    return manifest.Manifest()


def _beside(tree: Tree, settings: CheckSettings) -> set[str]:
    """A dev folder with outputs beside its inputs: the organisers' files in it are no extras."""
    if settings.pairs is None or settings.from_image:
        return set()
    inputs = settings.pairs.audio_s
    return {
        path
        for path in tree.files
        if path.removesuffix(".wav") in inputs or path.endswith(("_sentence.json", ".TextGrid"))
    }


def _submission(
    facts: manifest.Manifest,
    pdf: str | None,
    place: DuplexLayout,
    outputs: Outputs,
    rules: DuplexRules,
    settings: CheckSettings,
    ledger: Ledger,
) -> Submission | None:
    team, display_name = team_of(facts, pdf, place, settings, ledger)
    if facts.tracks and rules.track not in facts.tracks and settings.track is None:
        what = f"the files are of {rules.track}, but submission.json lists {', '.join(facts.tracks)}"
        ledger.add("E_MANIFEST_TRACK", file=layout.MANIFEST, pointer="/tracks", what=what)
    if team is None:
        return None
    return Submission(
        team=team,
        display_name=facts.display_name or display_name,
        system=facts.system,
        layout=place.id,
        track=rules.track,
        dialogues=(),
        resources=facts.resources,
        declarations=facts.declarations,
        pairs=dict(sorted(outputs.pairs.items())),
    )
