"""An invented challenge evening: eight teams in Track 1 with items of every kind of loss and human ratings, five in
Track 2. One of them has a hostile name. For the browser tests and the pictures in docs/."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.load import load_challenge
from harness.documents.codec import jsonl, pretty_json, to_plain
from harness.documents.finding import ChallengeRef
from harness.documents.ratings import Rating, ratings_csv
from harness.documents.report import JudgeRef, ScoredItem, ScoreReport
from harness.documents.submission import Submission
from harness.scoring import score_report

CHALLENGE = load_challenge()
JUDGE = JudgeRef("qwen3-omni", "sha256:" + "5e" * 32, True)
HOSTILE = "<script>window.pwned=1</script>\u202egnp.exe =cmd|'/C calc'!A0 \x1b[31m"
VOICE = ("vocal_empathy_congruence", "audio_quality_naturalness")


@dataclass(frozen=True, slots=True)
class Team:
    name: str
    display: str
    quality: float
    lost: float = 0.0
    late: bool = False
    baseline: bool = False
    flattery: float = 0.0


TEAMS = (
    Team("lingyun", "凌云语音 Lingyun", 0.80),
    Team("empath-lab", "Empath Lab", 0.79),
    Team("voice-of-reason", "Voice of Reason", 0.72, lost=0.04),
    Team("hearts", "HEARTS 心声", 0.70),
    Team("thinker", "Thinker–Talker", 0.58, lost=0.08),
    Team("evil", HOSTILE, 0.50, flattery=1.2),
    Team("late-birds", "Late Birds", 0.66, late=True),
    Team("baseline", "Baseline", 0.40, lost=0.02, baseline=True),
)
DUPLEX = {
    "lingyun": ("凌云语音 Lingyun", 81.8, 76.8, 74.5, 69.8, 1.26),
    "quick": ("Quick Reply", 62.0, 58.4, 57.1, 60.0, 0.78),
    "patient": ("The Patient Ones", 70.2, 71.0, 80.4, 78.8, 2.31),
    "hearts": ("HEARTS 心声", 66.4, 69.2, 61.3, 58.7, 1.55),
    "baseline": ("Baseline", 55.0, 51.2, 48.8, 50.6, 2.02),
}


def items(team: Team, dialogues: int) -> list[ScoredItem]:
    chance = random.Random(f"items {team.name}")
    hard = {f"{lang}{i}": random.Random(f"{lang}{i}").gauss(0, 0.15) for lang in ("zh", "en") for i in range(dialogues)}
    found = []
    for task in CHALLENGE.tasks_of("track1", ranked_only=True):
        for language in CHALLENGE.languages:
            for number in range(dialogues):
                lost = None
                if chance.random() < team.lost:
                    lost = chance.choice(["missing", "too_short", "language_mismatch", "echo", "empty"])
                for name in task.dimension_ids():
                    level = team.quality + hard[f"{language}{number}"] + chance.gauss(0, 0.25)
                    mark = task.scale[max(0, min(len(task.scale) - 1, int(level * len(task.scale))))]
                    state: Any = "scored"
                    if name in VOICE:
                        mark = max(1, min(5, round(mark + team.flattery)))
                        state = "silent" if lost == "missing" else "scored"
                    elif lost is not None:
                        state = lost
                    flags = ("F_INJ",) if team.name == "evil" and number % 40 == 3 else ()
                    found.append(
                        ScoredItem(
                            task.id,
                            language,
                            f"{task.id}_3_{language}_{number:04}_0001",
                            4,
                            name,
                            task.lowest if state != "scored" else mark,
                            state,
                            flags,
                        )
                    )
    return found


def ratings(team: Team, scored: list[ScoredItem]) -> list[Rating]:
    chance = random.Random(f"raters {team.name}")
    return [
        Rating(
            team.name,
            item.language,
            item.dialogue_id,
            f"{item.language}-{rater:02}",
            f"{item.task}.{item.dimension}",
            max(1, min(5, round(float(item.score or 1) - team.flattery + chance.gauss(0, 0.5)))),
        )
        for item in scored
        if item.dimension in VOICE and item.state == "scored"
        for rater in (1, 2, 3)
    ]


def build(folder: Path, dialogues: int = 40) -> Path:
    """Folders `run/teams/*` with reports and items, and `ratings.csv`. Returns ``folder``."""
    everything: list[Rating] = []
    for team in TEAMS:
        scored = items(team, dialogues)
        entry = Submission(team.name, team.display, "system-1", "seed", "track1", ())
        report = score_report(
            scored, entry, CHALLENGE, CHALLENGE.policies["strict"], JUDGE, late=team.late, baseline=team.baseline
        )
        place = folder / "run" / "teams" / f"{team.name}-track1" / "scores"
        place.mkdir(parents=True)
        (place / "report.json").write_bytes(pretty_json(to_plain(report)))
        (place / "items.jsonl").write_bytes(jsonl([to_plain(item) for item in scored]))
        everything += ratings(team, scored)
    duplex_reports(folder / "run")
    gone = folder / "run" / "teams" / "no-network"
    gone.mkdir()
    record = {"schema_version": 1, "image_id": "sha256:0", "state": "timed_out", "fault": "submission", "codes": []}
    (gone / "run.json").write_text(json.dumps(record), "utf-8")
    (folder / "ratings.csv").write_bytes(ratings_csv(everything))
    return folder


def duplex_reports(run: Path) -> None:
    """The reports of Track 2 in `run/teams/*`."""
    for name, (display, *figures) in DUPLEX.items():
        zh, en, no_zh, no_en, delay = figures
        duplex = ScoreReport(
            schema_version=1,
            team=name,
            display_name=display,
            system="duplex-1",
            track="track2",
            policy="strict",
            baseline=name == "baseline",
            challenge=ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
            dimensions=(),
            measures={
                "interruption": {"zh": zh, "en": en},
                "rejection": {"zh": no_zh, "en": no_en},
                "total_delay_s": delay,
            },
        )
        place = run / "teams" / f"{name}-track2" / "scores"
        place.mkdir(parents=True)
        (place / "report.json").write_bytes(pretty_json(to_plain(duplex)))
