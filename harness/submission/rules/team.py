"""Who hands in: the team's id and what to call it."""

from __future__ import annotations

from harness.errors import UsageError
from harness.submission.ledger import Ledger
from harness.submission.readers.refusal import quoted
from harness.submission.rules.description import Described, slug, team_name
from harness.submission.rules.manifest import Manifest, is_team_id
from harness.submission.settings import CheckSettings

_UNNAMED = "unnamed"


def team_of(
    facts: Manifest, pdf: str | None, layout: Described, settings: CheckSettings, ledger: Ledger
) -> tuple[str | None, str]:
    """The team's id and what to call it: from submission.json, else the caller, else a slug of the PDF's name."""
    if facts.team is not None:
        return facts.team, facts.team
    if settings.team is not None:
        if not is_team_id(settings.team):
            raise UsageError(
                f"{settings.team!r} is no team id", code="E_USAGE", hint="use 3 to 32 of a-z, 0-9 and - in --team"
            )
        return settings.team, settings.team
    if settings.from_image:
        return _UNNAMED, _UNNAMED
    if pdf is None or layout.manifest == "required":
        return (_UNNAMED, _UNNAMED) if settings.draft else (None, "")
    name = team_name(pdf, layout)
    made = slug(name)
    if not is_team_id(made):
        what = "the name of the PDF gives no id of 3 or more letters or digits"
        ledger.add("E_TEAM_NAME", file=pdf, name=quoted(name), what=what)
        return None, name
    return made, name
