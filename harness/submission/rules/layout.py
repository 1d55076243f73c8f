"""Where things lie: which layout this is, which wrapping folder to take off, what is missing and what is too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from harness.challenge.spec import Challenge, Layout
from harness.errors import UsageError
from harness.submission.ledger import Ledger
from harness.submission.readers.paths import ARCHIVE_SUFFIXES
from harness.submission.readers.refusal import printable, quoted
from harness.submission.readers.tree import Tree

MANIFEST = "submission.json"
_LISTED_EXTRAS = 20  # a folder; the rest is counted
_FUZZY = 50  # missing files for which a similar name is looked for
_NEIGHBOURS = 200  # files that are compared with each


@dataclass(frozen=True, slots=True)
class Place:
    """The layout of a submission and its tree below the wrapping folder, if there was one."""

    layout: Layout
    tree: Tree


def find_place(tree: Tree, challenge: Challenge, chosen: str, track: str | None, ledger: Ledger) -> Place | None:
    """The layout whose files are there; None (E_LAYOUT_UNKNOWN) when nothing fits.

    Raises UsageError (E_USAGE) for a layout or track that the challenge does not have.
    """
    layouts = _candidates(challenge, chosen, track)
    tops = sorted({path.split("/", 1)[0] for path in tree.files if "/" in path})
    best: tuple[int, int, Layout, str] | None = None
    for rank, layout in enumerate(layouts):
        for top in ("", *_possible_wrappers(tree, tops, layout)):
            score = (_hits(tree, challenge, layout, top), -rank, layout, top)
            if best is None or score[:2] > best[:2]:
                best = score
    assert best is not None  # there is always a layout
    hits, _, layout, top = best
    if not hits and chosen == "auto" and not _looks_like(tree, layout, top):
        example = layout.jsonl_path(challenge.languages[0], max(layout.names, key=lambda n: challenge.tasks[n].ranked))
        names = " or ".join(f"the layout {layout.id}" for layout in layouts)
        ledger.add("E_LAYOUT_UNKNOWN", layouts=names, example=example)
        return None
    if not top:
        return Place(layout, tree)
    outside = [path for path in tree.files if not path.startswith(f"{top}/")]
    _report_extras(outside, ledger)
    ledger.prefix = f"{top}/"
    if top != layout.root:
        ledger.add("W_ARC_WRAPPED", name=quoted(top))
    return Place(layout, tree.below(top))


def _candidates(challenge: Challenge, chosen: str, track: str | None) -> list[Layout]:
    if track is not None and track not in challenge.tracks:
        known = ", ".join(challenge.tracks)
        raise UsageError(f"there is no track {track!r}", code="E_USAGE", hint=f"the tracks are {known}")
    if chosen != "auto" and chosen not in challenge.layouts:
        known = ", ".join(challenge.layouts)
        raise UsageError(f"there is no layout {chosen!r}", code="E_USAGE", hint=f"the layouts are auto, {known}")
    layouts = [challenge.layouts[chosen]] if chosen != "auto" else list(challenge.layouts.values())
    fitting = [
        layout
        for layout in layouts
        if track is None or any(challenge.tasks[task].track == track for task in layout.names)
    ]
    if not fitting:
        raise UsageError(
            f"the challenge describes no submission layout for {track}", code="E_USAGE", hint="check --track, --layout"
        )
    return fitting


def _possible_wrappers(tree: Tree, tops: Sequence[str], layout: Layout) -> list[str]:
    alone = len(tops) == 1 and all("/" in path for path in tree.files)
    return [top for top in tops if top == layout.root or alone]


def _hits(tree: Tree, challenge: Challenge, layout: Layout, top: str) -> int:
    head = f"{top}/" if top else ""
    paths = (layout.jsonl_path(language, task) for language in challenge.languages for task in layout.names)
    refused = {refusal.file for refusal in tree.refusals}
    return sum(head + path in tree.files or head + path in refused for path in paths)


def _looks_like(tree: Tree, layout: Layout, top: str) -> bool:
    """No result file, but the layout's own root folder or a submission.json: then say what is missing in it."""
    head = f"{top}/" if top else ""
    return (bool(top) and top == layout.root) or head + MANIFEST in tree.files


def report_missing(missing: Iterable[str], tree: Tree, ledger: Ledger, *, taken: Set[str] = frozenset()) -> None:
    """E_LAYOUT_MISSING for each path, with a similar name that is there and is not ``taken`` by another purpose.
    What was refused is not called missing."""
    refused = {refusal.file for refusal in tree.refusals}
    free = [path for path in sorted(tree.files) if path not in taken]
    folded = {path.casefold(): path for path in free}
    for count, path in enumerate(missing):
        if ledger.prefix + path in refused:
            continue
        near = folded.get(path.casefold()) or (_similar(path, free) if count < _FUZZY else None)
        suggestion = f"; did you mean {quoted(near)}?" if near else ""
        ledger.incomplete("E_LAYOUT_MISSING", file=path, name=printable(path), suggestion=suggestion)


def _similar(path: str, candidates: Sequence[str]) -> str | None:
    """A file of the same folder whose name is nearly the same."""
    import difflib

    folder, _, name = path.rpartition("/")
    names = {other.rpartition("/")[2]: other for other in candidates if other.rpartition("/")[0] == folder}
    close = difflib.get_close_matches(name, list(names)[:_NEIGHBOURS], n=1, cutoff=0.85)
    return names[close[0]] if close else None


def report_extras(tree: Tree, known: set[str], ledger: Ledger) -> None:
    """W_LAYOUT_EXTRA for what the layout does not name, E_LAYOUT_EXTRA for archives inside."""
    _report_extras([path for path in tree.files if path not in known], ledger)


def _report_extras(extras: Sequence[str], ledger: Ledger) -> None:
    totals = Counter(path.rpartition("/")[0] for path in extras)
    shown: Counter[str] = Counter()
    for path in sorted(extras):
        folder = path.rpartition("/")[0]
        shown[folder] += 1
        if path.lower().endswith(ARCHIVE_SUFFIXES):
            ledger.item("E_LAYOUT_EXTRA", file=path, name=quoted(path))
        elif shown[folder] <= _LISTED_EXTRAS:
            rest = totals[folder] - shown[folder]
            more = f", like {rest} more in that folder" if shown[folder] == _LISTED_EXTRAS and rest else ""
            ledger.add("W_LAYOUT_EXTRA", file=path, name=quoted(path), more=more)
