"""Teams' submissions to the pages that human raters get: blinded, with the key that says which item is which."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from harness.challenge.spec import Challenge, Track
from harness.documents.rating_key import BlindedItem, RatingKey
from harness.documents.rating_page import RatingItem, RatingPage, RatingTurn
from harness.errors import UsageError
from harness.evaluation.run import usable_references
from harness.evaluation.score import was_collected
from harness.ranking.ratings import rated_dimensions
from harness.scoring import PlannedDialogue, plan_items
from harness.submission import Recording, Recordings, check
from harness.submission.references import References

if TYPE_CHECKING:
    from harness.submission.canonical_audio import Samples

_ID_CHARS = 12


@dataclass(frozen=True, slots=True)
class RatedTeam:
    """A submission as `humdial score` takes it; ``team`` is its id where the submission does not say it."""

    subject: Path
    team: str | None = None


def rating_pages(
    teams: Sequence[RatedTeam],
    references: Path,
    challenge: Challenge,
    track: Track,
    seed: str,
    work: Path,
    progress: Callable[[str], None],
) -> tuple[list[RatingPage], RatingKey]:
    """A page a language, and the key to all. Replies without usable audio, and excluded ones, are not on a page: there
    is nothing to hear. The same seed gives the same ids. ``work`` is an empty folder for what archives hold.

    Raises UsageError for broken references (E_GOLD), an invalid submission (E_USAGE), a team twice (E_TEAM_DUP), and
    when nothing can be heard (E_USAGE).
    """
    gold = usable_references(references, challenge, need_labels=True)
    wanted: dict[str, list[str]] = {}
    for name in dict.fromkeys(rated_dimensions(track, challenge).values()):  # in the order of the spec
        wanted.setdefault(name.partition(".")[0], []).append(name)
    items: dict[str, list[RatingItem]] = {language: [] for language in track.language_weights}
    key: dict[str, BlindedItem] = {}
    seen: set[str] = set()
    for number, each in enumerate(teams):
        found = _rated(each, gold, challenge, track, wanted, seed, work / str(number), seen)
        for item, blinded in found:
            items[blinded.language].append(item)
            key[item.id] = blinded
        progress(f"{each.subject.name}: {len(found)} replies to rate")
    if not key:
        raise UsageError(
            "there is no reply with audio to rate", code="E_USAGE", hint="pass submissions with the audio of the track"
        )
    pages = [
        RatingPage(track.id, language, _digest(seed, "order", language)[:16], tuple(sorted(found, key=lambda i: i.id)))
        for language, found in items.items()
        if found
    ]
    return pages, RatingKey(1, track.id, seed, dict(sorted(key.items())))


def _rated(
    each: RatedTeam,
    gold: References,
    challenge: Challenge,
    track: Track,
    wanted: Mapping[str, Sequence[str]],
    seed: str,
    work: Path,
    seen: set[str],
) -> list[tuple[RatingItem, BlindedItem]]:
    work.mkdir()
    outcome = check(
        each.subject,
        challenge,
        expected=gold.dialogues,
        track=track.id,
        team=each.team,
        from_image=was_collected(each.subject),
        work=work,
    )
    if not outcome.report.valid or outcome.submission is None or outcome.root is None:
        raise UsageError(
            f"{each.subject.name} is not a valid submission: nobody can rate it",
            code="E_USAGE",
            hint=f"`humdial validate {each.subject.name}` says why; leave it out",
        )
    team = each.team or outcome.submission.team
    if team in seen:
        raise UsageError(f"{team} is there twice", code="E_TEAM_DUP", hint="pass the submission that counts")
    seen.add(team)
    policy = next(iter(challenge.policies.values()))
    judge = next(iter(challenge.judges.values()))
    plan = plan_items(gold.dialogues, outcome.submission, challenge, policy, gold.layout, judge)
    rated: list[tuple[PlannedDialogue, Recording]] = []
    for planned in plan.dialogues:
        excluded = "excluded" in planned.states.values() or "skipped" in planned.states.values()
        audio = planned.evaluated.audio if planned.evaluated else None
        if planned.key[0] in wanted and not excluded and audio is not None and audio.state == "ok":
            rated.append((planned, Recording(outcome.root / audio.path, audio.sha256, audio.sample_rate_hz)))
    found = []
    with Recordings(challenge) as recordings:
        sounds = recordings.each(recording for _, recording in rated)
        for (planned, recording), samples in zip(rated, sounds, strict=True):
            task, language, dialogue = planned.key
            flac, opaque = _flac(samples, recording.rate_hz), _opaque(seed, team, *planned.key)
            item = RatingItem(opaque, task, tuple(wanted[task]), _turns(planned), flac)
            found.append((item, BlindedItem(team, language, dialogue)))
    return found


def _turns(planned: PlannedDialogue) -> tuple[RatingTurn, ...]:
    return tuple(RatingTurn(turn.user, turn.emotion, turn.reply) for turn in planned.context())


def _flac(samples: Samples, rate_hz: int) -> bytes:
    """The samples as submitted, at their own rate, in a new file: chunks and names of the old one could tell a team."""
    import soundfile

    made = BytesIO()
    soundfile.write(made, samples, rate_hz, format="FLAC", subtype="PCM_16")
    return made.getvalue()


def _digest(seed: str, *parts: str) -> str:
    return hmac.new(seed.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _opaque(seed: str, *parts: str) -> str:
    """60 bits that nobody without the seed can make or read."""
    raw = bytes.fromhex(_digest(seed, "item", *parts))
    return base64.b32encode(raw).decode().lower()[:_ID_CHARS]
