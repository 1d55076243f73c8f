"""The small judge under gVisor against the same judge under runc: what the stronger tier costs a program that computes.

Whole containers, from the request to the verdicts, in pairs that take turns; and a container that does nothing, under
both. The verdicts must be the same bytes. Nothing is compared where the engine has no runsc or no judge can be built.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from judge import requests

from harness.challenge.load import load_challenge
from harness.errors import HarnessError
from harness.evaluation.judge_container import judge_run
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.judge import prompt_digests, request_files
from harness.sandbox import connect
from harness.sandbox.site import RUNTIME

RUNTIMES = ("runc", "runsc")
PAIRS, REPLIES = 3, 6


def main() -> int:
    challenge = load_challenge()
    if not set(RUNTIMES) <= set(connect().info()["Runtimes"]):
        print("tiers: skipped, this engine has no runsc (make gvisor)")
        return 0
    try:
        judge = ensure_judge(challenge, challenge.judges["small"], progress=print)
    except HarnessError as error:
        print(f"tiers: skipped, there is no judge ({error})")
        return 0
    for runtime in RUNTIMES:
        run(judge, runtime, REPLIES)  # both warm: the preflight, and what is read from the disk
    for what, replies in (("a container that does nothing", 0), (f"the small judge on {REPLIES} replies", REPLIES)):
        ratios, seconds, said = [], [], set()
        for pair in range(PAIRS):
            order = RUNTIMES if pair % 2 else RUNTIMES[::-1]
            took = {runtime: run(judge, runtime, replies) for runtime in order}
            ratios.append(took["runsc"][0] / took["runc"][0])
            seconds.append([took[runtime][0] for runtime in RUNTIMES])
            said |= {verdicts for _, verdicts in took.values()}
        runc, runsc = (statistics.median(side) for side in zip(*seconds, strict=True))
        same = "the same bytes" if len(said) == 1 else "OTHER BYTES"
        ratio = statistics.median(ratios)
        print(f"tiers: {what}: gVisor {runsc:.2f} s, runc {runc:.2f} s, ratio {ratio:.2f} (n={PAIRS}); {same}")
        if len(said) != 1:
            return 1
    return 0


def run(judge: JudgeImage, runtime: str, replies: int) -> tuple[float, bytes]:
    """Seconds of one container, and its verdicts; without replies it does nothing."""
    os.environ[RUNTIME] = runtime
    challenge = load_challenge()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.chmod(0o755)
        (work / "requests" / "audio").mkdir(parents=True)
        asked = list(requests(replies, judge.fingerprint))
        made = request_files(asked, challenge, challenge.judges["small"], prompt_digests())
        for name, data in made.items():
            (work / "requests" / name).write_bytes(data)
        given = {"/requests": work / "requests", "/weights": judge.weights}
        program = () if replies else ("/bin/true",)
        started = time.perf_counter()
        with judge_run(
            connect(),
            judge.image_id,
            given,
            work,
            challenge.run_limits,
            output_bytes=16 << 20,
            deadline_s=1500,
            program=program,
        ) as done:
            seconds = time.perf_counter() - started
            if done.outcome.exit_code != 0:
                raise SystemExit(f"tiers: {runtime} ended with {done.outcome.exit_code}: {done.said()[-300:]}")
            return seconds, done.take("verdicts.jsonl") or b""


if __name__ == "__main__":
    raise SystemExit(main())
