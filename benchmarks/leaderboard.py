"""How long a table takes: aggregating official-size item lists, then reading the reports back and tabulating them.

    python benchmarks/leaderboard.py

Prints seconds for 50 and for 100 teams and their ratio: 2.00 is linear. 900 dialogues a team, as in the official
test set, three dimensions each.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.report import JudgeRef, ScoredItem
from harness.documents.submission import Submission
from harness.evaluation.score_files import gather
from harness.ranking.table import leaderboard
from harness.reporting.leaderboard import render
from harness.scoring import score_report

TEAMS, DIALOGUES, ROUNDS = 100, 900, 5
JUDGE = JudgeRef("bench", "sha256:" + "0" * 64, False)


def items_of(challenge: Challenge, track: str, seed: int) -> list[ScoredItem]:
    """DIALOGUES dialogues spread evenly over the track's ranked tasks and languages."""
    chance = random.Random(seed)
    tasks = challenge.tasks_of(track, ranked_only=True)
    share = DIALOGUES // (len(tasks) * len(challenge.languages))
    return [
        ScoredItem(task.id, language, f"d{number:04}", 4, dimension, chance.choice(task.scale), "scored")
        for task in tasks
        for language in challenge.languages
        for number in range(share)
        for dimension in task.dimension_ids()
    ]


def pair(work: Callable[[int], object]) -> tuple[float, float]:
    """Shortest wall times for half and for all of the teams, in turns, so that a busy machine hits both alike."""
    found: dict[int, list[float]] = {TEAMS // 2: [], TEAMS: []}
    for _ in range(ROUNDS):
        for teams, times in found.items():
            start = time.perf_counter()
            work(teams)
            times.append(time.perf_counter() - start)
    return min(found[TEAMS // 2]), min(found[TEAMS])


def main() -> None:
    challenge = load_challenge()
    track = next(iter(challenge.tracks))
    policy = challenge.policies["strict"]
    lists = [items_of(challenge, track, seed) for seed in range(TEAMS)]
    entries = [Submission(f"team-{n:03}", f"Team {n} 队", "s", "seed", track, ()) for n in range(TEAMS)]

    def aggregate(teams: int) -> None:
        for entry, items in zip(entries[:teams], lists[:teams], strict=True):
            score_report(items, entry, challenge, policy, JUDGE)

    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / entry.team / "report.json" for entry in entries]
        for place, entry, items in zip(places, entries, lists, strict=True):
            write_atomic(place, pretty_json(to_plain(score_report(items, entry, challenge, policy, JUDGE))))

        def tabulate(teams: int) -> None:
            reports, _ = gather(places[:teams])
            render(leaderboard(reports, challenge, track), challenge, "table")

        print(f"{TEAMS} teams of {len(lists[0])} items ({DIALOGUES} dialogues), best of {ROUNDS}")
        for name, work in (("aggregate", aggregate), ("read + tabulate + render", tabulate)):
            half, whole = pair(work)
            print(f"{name:26} {TEAMS // 2} teams {half:.3f} s  {TEAMS} teams {whole:.3f} s  ratio {whole / half:.2f}")


if __name__ == "__main__":
    main()
