"""How long a table takes: aggregating official-size item lists, reading the reports back and tabulating them, and the
same with what intervals need: every item read again, and 10,000 draws.

    python benchmarks/leaderboard.py

Prints seconds for 50 and for 100 teams and their ratio: 2.00 is linear. On a busy machine the CPU's seconds say more.
900 dialogues a team, as in the official test set, three dimensions each.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.codec import jsonl, pretty_json, to_plain, write_atomic
from harness.documents.report import JudgeRef, ScoredItem
from harness.documents.submission import Submission
from harness.evaluation.score_files import find_reports, gather, item_scores
from harness.evaluation.tables import tabulate
from harness.ranking.table import leaderboard
from harness.reporting.leaderboard import render
from harness.scoring import score_report

TEAMS, DIALOGUES, ROUNDS = 100, 900, 3
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


@dataclass(frozen=True, slots=True)
class Spent:
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.3f} s (CPU {self.cpu:.3f})"


def pair(work: Callable[[int], object]) -> tuple[Spent, Spent]:
    """Shortest times for half and for all of the teams, in turns, so that a busy machine hits both alike."""
    found: dict[int, list[Spent]] = {TEAMS // 2: [], TEAMS: []}
    for _ in range(ROUNDS):
        for teams, times in found.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work(teams)
            times.append(Spent(time.perf_counter() - wall, time.process_time() - cpu))
    half, whole = (Spent(min(t.wall for t in times), min(t.cpu for t in times)) for times in found.values())
    return half, whole


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
            report = score_report(items, entry, challenge, policy, JUDGE)
            write_atomic(place, pretty_json({**to_plain(report), "items": "items.jsonl"}))
            write_atomic(place.with_name("items.jsonl"), jsonl([to_plain(item) for item in items]))

        def means(teams: int) -> None:
            reports, _ = gather(places[:teams])
            render(leaderboard(reports, challenge, track), challenge, "table")

        def with_items(teams: int) -> None:
            found, _ = find_reports(places[:teams])
            item_scores(found, track)
            render(leaderboard([entry.report for entry in found], challenge, track), challenge, "table")

        def command(teams: int) -> None:
            render(tabulate(*find_reports(places[:teams]), challenge, track).board, challenge, "table")

        print(f"{TEAMS} teams of {len(lists[0])} items ({DIALOGUES} dialogues), best of {ROUNDS}")
        stages = (
            ("aggregate", aggregate),
            ("read + tabulate + render", means),
            ("the same, items read too", with_items),
            ("the same, intervals drawn", command),
        )
        gc.freeze()  # the lists above are this script's own: a collector that walks them is no part of the work
        for name, work in stages:
            half, whole = pair(work)
            ratio = f"ratio {whole.wall / half.wall:.2f} (CPU {whole.cpu / half.cpu:.2f})"
            print(f"{name:26} {TEAMS // 2} teams {half}  {TEAMS} teams {whole}  {ratio}")


if __name__ == "__main__":
    main()
