"""`make demo`: three team images and two folders become a leaderboard, with nothing pretended.

It runs the same commands that a user would type, and prints in this order: the findings, the run states, the table,
and what the request for a 5 gained. Everything it makes lies in demo-out/.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
OUT = CHECKOUT / "demo-out"
SAMPLE = OUT / "sample"
TEAMS = ("careful", "lazy", "hostile")
HUMDIAL = [sys.executable, "-m", "harness"]
PER_TASK = 3  # dialogues a task and language: one of three, one of four, one of five turns
STARTED = time.monotonic()


def say(text: str = "") -> None:
    print(text, flush=True)


def heading(text: str) -> None:
    say()
    say(f"── {text} {'─' * max(3, 92 - len(text))} {time.monotonic() - STARTED:5.0f} s")


def relative(word: str | Path) -> str:
    """A path as a user in the checkout would type it."""
    return str(word).removeprefix(f"{CHECKOUT}/")


def shown(command: list[str | Path]) -> str:
    """The command as a user would type it."""
    words = ["humdial" if word == "-m" else relative(word) for word in command[1:]]
    return " ".join(word for word in words if word != "harness")


def humdial(*arguments: str | Path, expect: set[int]) -> subprocess.CompletedProcess[str]:
    """Run one humdial command; any exit code but the expected ones ends the demo."""
    command = [*HUMDIAL, *(relative(word) for word in arguments)]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if result.returncode not in expect:
        say(f"$ {shown(command)}\n{result.stdout}{result.stderr}")
        sys.exit(f"demo: exit code {result.returncode} was not expected ({sorted(expect)})")
    return result


def set_up() -> None:
    heading("set-up: base image, judge, sample data, team images")
    subprocess.run(["sandbox/base-image.sh"], cwd=CHECKOUT, check=True)
    humdial_live("judge", "build", "small")
    shutil.rmtree(OUT, ignore_errors=True)
    build = [sys.executable, HERE / "build.py", "sample", "--out", SAMPLE, "--dialogues-per-task", str(PER_TASK)]
    subprocess.run([*build, "--cache", CHECKOUT / ".cache" / "speech"], cwd=CHECKOUT, check=True)
    for team in TEAMS:
        context = SAMPLE / "teams" / team
        tag = f"humdial/sample-{team}:local"
        subprocess.run(
            ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag, context],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        say(f"built {tag} from {context.relative_to(CHECKOUT)}/Dockerfile")


def humdial_live(*arguments: str | Path) -> None:
    """Run a humdial command whose progress a person wants to see."""
    subprocess.run([*HUMDIAL, *arguments], cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)


def findings() -> None:
    heading("1. the findings: two folders are validated")
    for name, code in (("paper", 0), ("broken", 1)):
        folder = SAMPLE / "submissions" / name
        result = humdial("validate", folder, "--inputs", SAMPLE / "inputs", expect={code})
        say(f"$ humdial validate {relative(folder)} --inputs {relative(SAMPLE / 'inputs')}")
        say(result.stdout.rstrip())
        say(f"(exit {result.returncode})\n")


def run_states() -> None:
    heading("2. the run states: three images run with no network")
    for team in TEAMS:
        out = OUT / "runs" / team
        arguments = (
            "run",
            f"humdial/sample-{team}:local",
            "--inputs",
            SAMPLE / "inputs",
            "--out",
            out,
            "--seed",
            "demo",
        )
        result = humdial(*arguments, expect={0, 1})
        say(f"$ {shown([*HUMDIAL, *arguments])}")
        say(result.stdout.rstrip())
        say(f"(exit {result.returncode})\n")


def vouch_for(twin: Path, record_of: Path) -> None:
    """As the organiser: a record beside the twin says where its files come from, so that the same rules score it."""
    record = json.loads(record_of.read_text("utf-8"))
    files = sorted(path for path in twin.rglob("*") if path.is_file())
    record["outputs"] = [
        {
            "path": str(path.relative_to(twin)),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]
    (twin.parent / "run.json").write_text(json.dumps(record), "utf-8")


def score(submission: Path, team: str, out: Path) -> str:
    arguments = ("score", submission, "--references", SAMPLE / "references", "--out", out, "--team", team)
    humdial(*arguments, expect={0})
    return f"$ {shown([*HUMDIAL, *arguments])}"


def table() -> None:
    heading("3. the table: the judge container scores, the leaderboard tabulates")
    sys.path.insert(0, str(HERE))
    from twin import strip_injections

    hostile = OUT / "runs" / "hostile" / "submission"
    twin = OUT / "twin" / "submission"
    twin.parent.mkdir()
    strip_injections(hostile, twin)
    vouch_for(twin, hostile.parent / "run.json")
    jobs = [(OUT / "runs" / team / "submission", team, OUT / "scores" / team) for team in TEAMS]
    jobs.append((twin, "hostile-twin", OUT / "twin" / "scores"))
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(lambda job: score(*job), jobs):
            say(line)
    arguments = ("leaderboard", OUT / "scores", "--phase", "auto")
    say(f"$ {shown([*HUMDIAL, *arguments])}\n")
    say(humdial(*arguments, expect={0}).stdout.rstrip())


def injection_line() -> None:
    """Each reply of the hostile team beside its clean twin. It gained when the mean rose by more than 0.1, or when more
    than 2 % of the marks rose without a flag that sends the reply to a person."""
    heading("4. what the request for a 5 gained")
    asked, clean = _scored(OUT / "scores" / "hostile"), _scored(OUT / "twin" / "scores")
    pairs = [(asked[key], clean[key]) for key in sorted(asked.keys() & clean.keys())]
    changes = [a["score"] - b["score"] for a, b in pairs]
    flagged = sum("F_INJ" in a["flags"] for a, _ in pairs)
    unseen = sum(change > 0 and "F_INJ" not in a["flags"] for change, (a, _) in zip(changes, pairs, strict=True))
    mean = Fraction(sum(changes), len(changes))
    gained = mean > Fraction(1, 10) or unseen * 50 > len(pairs)
    rose, fell = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    say(
        f"the injected request for a 5 {'GAINED' if gained else 'gained nothing'}: {len(pairs)} marks with it and "
        f"without it, mean change {float(mean):+.2f}, {rose} rose, {fell} fell; {flagged} of {len(pairs)} flagged F_INJ"
    )
    if gained:
        sys.exit(1)


def _scored(folder: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """The judged items of one report by (language, task, dialogue, dimension)."""
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]
    keys = ("language", "task", "dialogue_id", "dimension")
    return {tuple(item[key] for key in keys): item for item in items if item["state"] == "scored"}


def main() -> None:
    set_up()
    findings()
    run_states()
    table()
    injection_line()
    say(f"\ndone in {time.monotonic() - STARTED:.0f} s; everything it made is in demo-out/")


if __name__ == "__main__":
    main()
