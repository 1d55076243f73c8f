"""Prints how a judge marks the known-answer items, and the bands that follow: its own marks, and a mark's room around.

    sandbox/engine.sh with python calibration/bands.py [PROFILE] [--room 1/2] [--challenge FILE]

Run it where the judge of record runs, on the weights of record, once for each change of its fingerprint that is meant.
Look at the marks before the bands: a judge that marks good replies low is no judge, whatever its bands are. Then put
the printed table into the challenge's spec in the place of the provisional one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge, JudgeProfile
from harness.evaluation.asking import ask_judge
from harness.evaluation.judge_image import ensure_judge
from harness.judge.canaries import canary_requests, mean_mark, planted

Band = tuple[Fraction, Fraction]


def main(profile_id: str, room: Fraction, challenge_name: str) -> None:
    challenge = load_challenge(challenge_name)
    profile = challenge.judges[profile_id]
    found = marks(challenge, profile)
    kinds: dict[str, list[Fraction]] = {}
    for canary in planted(challenge, profile):
        mark = found[canary.name]
        print(f"{canary.name}: {'no verdict' if mark is None else f'{float(mark):.2f}'}")
        if mark is None:
            raise SystemExit("a known-answer item has no verdict, so there are no bands: mend the judge first")
        kinds.setdefault(canary.kind, []).append(mark)
    made = bands(kinds, room, challenge)
    print(f"\n[judges.{profile.id}.canaries]")
    print(f"always = {str(profile.canaries_always).lower()}\ntolerated = {profile.canaries_tolerated}")
    print("bands = { " + ", ".join(f'{kind} = ["{low}", "{high}"]' for kind, (low, high) in made.items()) + " }")


def marks(challenge: Challenge, profile: JudgeProfile) -> dict[str, Fraction | None]:
    """The mean mark of every known-answer item, None where there is no verdict."""
    judge = ensure_judge(challenge, profile, progress=lambda text: print(f"judge: {text}"))
    print(f"judge {judge.fingerprint}")
    requests = canary_requests(challenge, profile, judge.fingerprint)
    with tempfile.TemporaryDirectory(prefix="humdial-bands-") as scratch:
        work = Path(scratch)
        (work / "audio").mkdir()
        verdicts = ask_judge(list(requests.values()), judge, challenge, profile, work)
    return {name: mean_mark(verdicts[request.item, request.sample]) for name, request in requests.items()}


def bands(kinds: Mapping[str, list[Fraction]], room: Fraction, challenge: Challenge) -> dict[str, Band]:
    """From the lowest to the highest mark of each kind with ``room`` on both sides, inside the scale.

    Raises SystemExit when the good replies' band meets another's: such bands would tell nothing.
    """
    scales = [mark for task in challenge.tasks.values() for mark in task.scale]
    lowest, highest = Fraction(min(scales)), Fraction(max(scales))
    made = {
        kind: (max(min(found) - room, lowest), min(max(found) + room, highest)) for kind, found in sorted(kinds.items())
    }
    meets = [kind for kind, (_, high) in made.items() if kind != "good" and "good" in made and high >= made["good"][0]]
    if meets:
        raise SystemExit(f"the band of good replies meets that of {', '.join(meets)}: they cannot be told apart")
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What bands a judge's known-answer items need.")
    parser.add_argument("profile", nargs="?", default="small")
    parser.add_argument("--room", type=Fraction, default=Fraction(1, 2), help="added on both sides, in marks")
    parser.add_argument("--challenge", default="humdial-2026")
    arguments = parser.parse_args()
    main(arguments.profile, arguments.room, arguments.challenge)
