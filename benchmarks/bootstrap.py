"""How long ranks that admit doubt take: 100 teams, 900 items in each of 9 dimensions, 10,000 draws.

    python benchmarks/bootstrap.py

Three cohorts, each tabulated by a process of its own so that the peak of its memory is its own: the official test set
(900 dialogues, 150 a task and language, three dimensions each), the same under policy published with replies missing
(every dimension then has its own denominator), and one six times as large, in which each of the nine dimensions has
900 items in each language. The aim is 10 s and 1 GB. CPU seconds are printed beside the wall's, for a busy machine.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.finding import ChallengeRef
from harness.documents.items import Scores
from harness.documents.report import DimensionScore, JudgeRef, ScoreReport
from harness.ranking.final import cell_weights
from harness.ranking.table import leaderboard

TEAMS, AIM_S, AIM_BYTES = 100, 10, 2**30
JUDGE = JudgeRef("bench", "sha256:" + "0" * 64, False)


@dataclass(frozen=True, slots=True)
class Cohort:
    """``dialogues`` a task and language; ``lost`` is the share of marks that a team lacks."""

    title: str
    dialogues: int
    lost: float = 0.0


COHORTS = {
    "official": Cohort("official: 900 dialogues, 2,700 marks a team", 150),
    "holes": Cohort("the same, policy published, 2 % of the marks missing", 150, 0.02),
    "large": Cohort("large: 5,400 dialogues, 16,200 marks a team", 900),
}


def team(number: int, cohort: Cohort, challenge: Challenge) -> tuple[ScoreReport, Scores]:
    """A report and its items: marks by chance, a little better for low numbers."""
    chance = random.Random(number)
    track = challenge.tracks["track1"]
    scores: Scores = {}
    entries = []
    for language, task, dimension in cell_weights(challenge, track):
        scale = challenge.tasks[task].scale
        marks = chance.choices(scale, [1 + number % 7 / 7 + place for place in range(len(scale))], k=cohort.dialogues)
        cell = {f"d{i:04}": None if chance.random() < cohort.lost else mark for i, mark in enumerate(marks)}
        scores[language, task, dimension, False] = dict(cell)
        counted = [mark for mark in cell.values() if mark is not None]
        mean = float(Fraction(sum(counted), len(counted)))
        entries.append(
            DimensionScore(
                task=task,
                language=language,
                dimension=dimension,
                mean=mean,
                sum=sum(counted),
                n=len(counted),
                source="judge",
                counts={"scored": len(counted), "missing": len(cell) - len(counted)},
            )
        )
    report = ScoreReport(
        schema_version=1,
        team=f"team-{number:03}",
        display_name=f"Team {number} 队",
        system="s",
        track=track.id,
        policy="published" if cohort.lost else "strict",
        challenge=ChallengeRef(challenge.id, challenge.digest),
        judge=JUDGE,
        dimensions=tuple(entries),
        items="items.jsonl",
    )
    return report, scores


def measure(cohort: Cohort) -> dict[str, float]:
    """One table with its intervals, rank intervals, groups and neighbours: wall and CPU seconds, peak bytes."""
    challenge = load_challenge()
    teams = [team(number, cohort, challenge) for number in range(TEAMS)]
    reports, items = [report for report, _ in teams], {report.team: scores for report, scores in teams}
    wall, cpu = time.perf_counter(), time.process_time()
    board = leaderboard(reports, challenge, "track1", items=items)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    assert board.bootstrap is not None and len(board.bootstrap.rank_counts) == TEAMS
    spent["draws"] = board.bootstrap.draws
    return {**spent, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(COHORTS[sys.argv[1]])))
        return
    for name, cohort in COHORTS.items():
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        kept = "yes" if found["wall"] < AIM_S and found["peak"] < AIM_BYTES else "NO"
        print(
            f"{cohort.title}: {TEAMS} teams, {found['draws']:,} draws: {found['wall']:.2f} s wall, "
            f"{found['cpu']:.2f} s CPU, peak {found['peak'] / 2**20:.0f} MiB; under {AIM_S} s and 1 GiB: {kept}"
        )


if __name__ == "__main__":
    main()
