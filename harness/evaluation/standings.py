"""What a journal says of each team: how far it is, and what is left to do. A fold over records, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.challenge.spec import Challenge
from harness.evaluation.journal import Record
from harness.evaluation.teams_file import Attempt, Team

# The event of the ledger, and those of the journal.
ATTEMPT = "attempt"
MADE_BY, RAN, PREPARED, COUNTED = "made_by", "ran", "prepared", "counted"
HEARD, JUDGED, SCORED, PUBLISHED = "heard", "judged", "scored", "published"
# A score's files: those with a line for everything that was scored, and all. A record of SCORED names them without
# their endings.
ROWS = ("items.jsonl", "pairs.jsonl")
SCORE_FILES = (*ROWS, "review.jsonl", "report.json")
# Of an attempt: the record of its image's run, and what its check found.
ATTEMPT_FILES = ("run.json", "validation.json")


def score_key(name: str) -> str:
    """What a record of SCORED calls a file."""
    return name.partition(".")[0]


@dataclass(slots=True)
class AttemptState:
    """``ran``: state, fault and record of the image's run. ``prepared``: what the check found."""

    attempt: Attempt
    ran: dict[str, Any] | None = None
    prepared: dict[str, Any] | None = None

    @property
    def outcome(self) -> str | None:
        """``valid`` or ``faulty`` when it is known."""
        if self.ran is not None and self.ran["state"] != "completed":
            return "faulty"
        if self.prepared is None:
            return None
        return "valid" if self.prepared["valid"] else "faulty"


@dataclass(slots=True)
class TeamState:
    """``counted`` is the attempt that counts: {"attempt": number or None, "late": bool}. ``heard``: what was heard of a
    full-duplex one. ``asked``: this process has asked the judge already, so that what failed waits for the next
    one."""

    team: Team
    attempts: list[AttemptState]
    counted: dict[str, Any] | None = None
    heard: dict[str, Any] | None = None
    judged: list[dict[str, Any]] = field(default_factory=list)
    asked: bool = False
    scored: dict[str, Any] | None = None

    def attempt(self, number: int) -> AttemptState:
        return self.attempts[number - 1]

    @property
    def chosen(self) -> AttemptState | None:
        """The attempt that counts, once it is known and there is one."""
        number = self.counted["attempt"] if self.counted else None
        return None if number is None else self.attempt(number)

    @property
    def shown(self) -> AttemptState | None:
        """The attempt that files for people are about: the one that counts, else the last that was looked at."""
        return self.chosen or next((each for each in reversed(self.attempts) if each.outcome is not None), None)

    def requests(self, attempt: AttemptState) -> str | None:
        """The blob of what the judge is asked about ``attempt``, once that is known; of a full-duplex one only when it
        was the one that was heard."""
        heard = self.heard if self.heard is not None and self.heard["attempt"] == attempt.attempt.number else None
        found: str | None = (heard or attempt.prepared or {}).get("requests")
        return found

    @property
    def final(self) -> bool:
        """Whether nothing is left to do: scored completely, or nothing to score."""
        if self.counted is not None and self.counted["attempt"] is None:
            return True
        return self.scored is not None and bool(self.scored["complete"])


def fold(teams: Iterable[Team], records: Iterable[Record]) -> dict[str, TeamState]:
    """Every team's state after ``records``, by name."""
    states = {
        team.name: TeamState(team, [AttemptState(attempt) for attempt in team.attempts])
        for team in sorted(teams, key=lambda team: team.name)
    }
    for record in records:
        apply(states, record)
    return states


def apply(states: Mapping[str, TeamState], record: Record) -> None:
    """One record more."""
    data = record.data
    state = states.get(data.get("team", ""))
    if state is None:
        return
    if record.event == RAN:
        state.attempt(data["attempt"]).ran = data
    elif record.event == PREPARED:
        state.attempt(data["attempt"]).prepared = data
    elif record.event == COUNTED:
        state.counted = data
    elif record.event == HEARD:
        state.heard = data
    elif record.event == JUDGED:
        state.judged.append(data)
    elif record.event == SCORED:
        state.scored = data


def choose(state: TeamState, challenge: Challenge) -> dict[str, Any] | None:
    """Which attempt counts, when all that decides it is known: the last valid one before the deadline, else the last
    valid late one. None: an attempt is still to be looked at.

    ``max_attempts`` valid ones are looked at, in the order of hand-in. ``max_faulty_attempts`` faulty ones are free;
    from then on each uses up an attempt, so that failures cannot be used to try more often.
    """
    chosen: AttemptState | None = None
    for each in looked_at(state, challenge):
        if each.outcome is None:
            return None
        if each.outcome == "valid" and (chosen is None or chosen.attempt.late or not each.attempt.late):
            chosen = each
    number = None if chosen is None else chosen.attempt.number
    return {"team": state.team.name, "attempt": number, "late": chosen is not None and chosen.attempt.late}


def looked_at(state: TeamState, challenge: Challenge) -> list[AttemptState]:
    """The attempts within the limits, up to and including the first whose outcome is not known."""
    found: list[AttemptState] = []
    valid = faulty = 0
    for each in state.attempts:
        if valid + max(0, faulty - challenge.max_faulty_attempts) >= challenge.max_attempts:
            break
        found.append(each)
        if each.outcome is None:
            break
        valid += each.outcome == "valid"
        faulty += each.outcome == "faulty"
    return found


def runs_next(state: TeamState, challenge: Challenge) -> bool:
    """Whether an image of the team is to be run now."""
    if state.counted is not None:
        return False
    open_ = next((each for each in looked_at(state, challenge) if each.outcome is None), None)
    return open_ is not None and open_.attempt.image is not None and open_.ran is None


def ledger_entries(state: TeamState, challenge: Challenge) -> list[dict[str, Any]]:
    """What the ledger says of each hand-in, once it is known which one counts."""
    counted = (state.counted or {}).get("attempt")
    seen = {each.attempt.number for each in looked_at(state, challenge)}
    return [
        {
            "team": state.team.name,
            "attempt": each.attempt.number,
            "submitted_at": each.attempt.submitted_at,
            "source": (each.prepared or {}).get("source"),
            "outcome": each.outcome if each.attempt.number in seen else "over the limit",
            "late": each.attempt.late,
            "counts": each.attempt.number == counted,
        }
        for each in state.attempts
    ]


def attempt_files(attempt: AttemptState) -> list[tuple[str, str]]:
    """What is told of an attempt, by the file's name, and the blob that each must be."""
    told = ((attempt.ran, "record"), (attempt.prepared, "validation"))
    return [(name, entry[key]) for name, (entry, key) in zip(ATTEMPT_FILES, told, strict=True) if entry is not None]


def files_of(state: TeamState) -> list[tuple[str, str]]:
    """A team's files for people, relative to the run, and the blob that each must be."""
    folder = f"teams/{state.team.name}"
    found: list[tuple[str, str]] = []
    shown = state.shown
    if state.counted is not None and shown is not None:
        found += [(f"{folder}/{name}", sha256) for name, sha256 in attempt_files(shown)]
    if state.scored is not None:
        stored = {name: state.scored.get(score_key(name)) for name in SCORE_FILES}
        found += [(f"{folder}/scores/{name}", sha256) for name, sha256 in stored.items() if sha256]
    return found


def ledger_faults(
    states: Mapping[str, TeamState], entries: Sequence[Mapping[str, Any]], challenge: Challenge
) -> tuple[list[int], list[dict[str, Any]]]:
    """In which places (from 0) the ledger says what the journal does not, or says it twice, and what it lacks."""
    expected = [entry for state in states.values() if state.counted for entry in ledger_entries(state, challenge)]
    strange = [n for n, entry in enumerate(entries) if entry not in expected or entries.index(entry) != n]
    return strange, [entry for entry in expected if entry not in entries]


def blob_names(state: TeamState) -> list[str]:
    """Every blob that the journal names for a team."""
    entries = [*state.judged, *(entry for entry in (state.heard, state.scored) if entry is not None)]
    for each in state.attempts:
        entries += [entry for entry in (each.ran, each.prepared) if entry is not None]
    scores = map(score_key, SCORE_FILES)
    keys = ("record", "validation", "submission", "speech", "words", "requests", "verdicts", "canaries", *scores)
    return [entry[key] for entry in entries for key in keys if entry.get(key)]
