"""A whole evaluation against a script that runs the same containers one after the other; resuming; memory.

    sandbox/engine.sh with python benchmarks/evaluate.py [--teams 20] [--resumed 100] [--only containers|resume]

The images answer one text task and work two seconds each, or not at all. The script is `docker run` with the inputs
mounted, no more; the harness stages, probes, runs, collects, checks, scores and tabulates. The judge's verdicts are
stored beforehand: judging is the same work on both sides of any comparison, and is left out of this one.

Prints ratios. The aims: with one worker at most 1.10 of the script's time; with two at least 1.6 times as fast as with
one; a finished run of 100 teams is resumed in under 5 s; four times the teams or the dialogues need the same memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.documents.codec import pretty_json, to_plain
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.judge_image import show_judge
from harness.evaluation.judge_lock import JudgeLock, engine_versions
from harness.evaluation.preparing import read_requests
from harness.evaluation.tasks import Prepared, PrepareTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.judge import prompt_digests
from harness.judge.canaries import canary_requests, planted
from harness.sandbox import connect

CHECKOUT = Path(__file__).resolve().parent.parent
PROFILE, TRACK, TASK = "small", "track1", "task2"
ANSWER = """
import json, os, pathlib, sys, time
time.sleep(float(os.environ["WORK_S"]))
texts = {"zh": "听起来这一天真不容易，我在。", "en": "That was a lot for one day, and I am here."}
for language in ("zh", "en"):
    target = pathlib.Path("/output", language)
    target.mkdir(exist_ok=True)
    with (target / "task2.jsonl").open("w") as out:
        for line in pathlib.Path("/input", language, "task2.jsonl").read_text().splitlines():
            asked = json.loads(line)
            turns = [{"turn_id": turn["turn_id"], "response_text": texts[language]} for turn in asked["turns"]]
            out.write(json.dumps({"dialogue_id": asked["dialogue_id"], "turns": turns}) + "\\n")
"""
WORDS = {
    "zh": tuple("今明天朋友家里工作难过高兴听着陪你慢休息说起也许真辛苦理解担心希望试"),
    "en": ("today", "friends", "home", "work", "sad", "glad", "listening", "slowly", "rest", "together", "hope", "see"),
}
GLUE = {"zh": "", "en": " "}


@dataclass(frozen=True)
class Ended:
    """One process: its seconds, and the most memory that it or a process below it had."""

    seconds: float
    peak_mib: float


def data(folder: Path, dialogues: int) -> Path:
    """A dev folder of one task."""
    build = [sys.executable, CHECKOUT / "examples" / "build.py", "data", "--out", folder, "--seed", "5"]
    build += ["--dialogues-per-task", str(dialogues), "--cache", CHECKOUT / ".cache" / "speech"]
    subprocess.run([str(each) for each in build], check=True, stdout=subprocess.DEVNULL)
    for path in [*folder.glob("*/task[!2]*")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


def judge(cache: Path) -> VerdictStore:
    """A judge that was built and has marked its known-answer items; where its verdicts are stored."""
    challenge = load_challenge()
    profile = challenge.judges[PROFILE]
    folder = cache / "judge" / PROFILE
    folder.mkdir(parents=True)
    lock = JudgeLock(
        1, PROFILE, "sha256:1", "sha256:1", "sha256:1", {},
        prompts=prompt_digests(), versions=engine_versions(), settings=profile.settings,
    )  # fmt: skip
    (folder / "lock.json").write_bytes(pretty_json(to_plain(lock)))
    fingerprint = show_judge(challenge, profile).fingerprint
    store = VerdictStore(cache / "verdicts", fingerprint)
    kinds = {canary.name: canary.kind for canary in planted(challenge, profile)}
    asked = canary_requests(challenge, profile, fingerprint)
    keep(store, [request for name, request in asked.items() if kinds[name] == "good"], 5)
    keep(store, [request for name, request in asked.items() if kinds[name] != "good"], 1)
    return store


def keep(store: VerdictStore, requests: Iterable[JudgeRequest], mark: int) -> None:
    for request in requests:
        marks: dict[str, int | str] = dict.fromkeys(request.dimensions, mark)
        store.keep([Verdict(request.item, request.sample, marks, {}, "0" * 64, 1, "scored")])


def judged(store: VerdictStore, dev: Path, source: Path, work: Path, *, collected: bool) -> None:
    """Store verdicts for a submission."""
    fingerprint = f"sha256:{store.folder.name}"
    setting = Setting("humdial-2026", dev, dev, PROFILE, "strict", TRACK, fingerprint, "0", "0")
    done = execute(PrepareTask("any", source, collected, work), setting)
    if not isinstance(done, Prepared) or done.requests is None:
        raise SystemExit(f"evaluate: the benchmark's own submission is not valid: {done}")
    keep(store, read_requests(done.requests).values(), 3)


def evaluate(teams: Path, dev: Path, out: Path, jobs: int = 1, *more: str) -> Ended:
    command = [sys.executable, "-m", "harness", "evaluate", str(teams), "--inputs", str(dev), "--references", str(dev)]
    command += ["--out", str(out), "--jobs", str(jobs), *more]
    begun = time.perf_counter()
    with (out.parent / "said").open("w+b") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        if status:
            said.seek(0)
            raise SystemExit(f"evaluate: it ended with {os.waitstatus_to_exitcode(status)}: {said.read().decode()}")
    return Ended(seconds, used.ru_maxrss / 1024)


def teams_file(path: Path, rows: Iterable[tuple[str, str]]) -> Path:
    path.write_text("".join(f'[[team]]\nname = "{name}"\ntrack = "{TRACK}"\n{line}\n' for name, line in rows), "utf-8")
    return path


def image(folder: Path, seconds: float) -> str:
    """The id of an image that works so long and answers."""
    folder.mkdir()
    (folder / "answer.py").write_text(ANSWER, "utf-8")
    lines = [
        "FROM humdial/base:local",
        f"ENV WORK_S={seconds}",
        "COPY answer.py /",
        'ENTRYPOINT ["python3", "/answer.py"]',
    ]
    (folder / "Dockerfile").write_text("\n".join(lines), "utf-8")
    tag = f"humdial/bench-{seconds:g}s:local"
    subprocess.run(
        ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag, folder],
        check=True,
        capture_output=True,
    )
    found = connect().image_id(tag)
    assert found is not None
    return found


def script(image_id: str, dev: Path, out: Path, count: int) -> float:
    """Seconds of `docker run`, one after the other."""
    begun = time.perf_counter()
    for number in range(count):
        place = out / str(number)
        place.mkdir(parents=True)
        place.chmod(0o777)
        mounts = ["-v", f"{dev}:/input:ro", "-v", f"{place}:/output"]
        command = ["docker", "run", "--rm", "--network=none", "--user=64999", *mounts, image_id]
        subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def containers(work: Path, count: int) -> bool:
    """Script against one worker against two."""
    subprocess.run(
        [CHECKOUT / "sandbox" / "base-image.sh"], check=True, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip
    os.environ["DOCKER_HOST"] = connect().address
    dev = data(work / "dev", 2)
    store = judge(work / "cache")
    good = True
    for name, seconds in (("2-second", 2.0), ("trivial", 0.0)):
        image_id = image(work / f"image-{name}", seconds)
        first = work / f"script-{name}-first"
        script(image_id, dev, first, 1)  # both warm, and what the judge is asked
        judged(store, dev, first / "0", work / "prepared", collected=True)
        listed = teams_file(work / f"{name}.toml", [(f"team-{n:03}", f'image = "{image_id}"') for n in range(count)])
        evaluate(teams_file(work / "one.toml", [("one", f'image = "{image_id}"')]), dev, work / f"warm-{name}")
        plain = script(image_id, dev, work / f"script-{name}", count)
        one, two = (evaluate(listed, dev, work / f"run-{name}-{jobs}", jobs).seconds for jobs in (1, 2))
        print(
            f"evaluate: {count} {name} images: script {plain:.1f} s, one worker {one:.1f} s (ratio {one / plain:.2f}), "
            f"two workers {two:.1f} s ({one / two:.2f} times as fast)",
            flush=True,
        )
        good = good and (seconds == 0 or (one / plain <= 1.10 and one / two >= 1.6))
    return good


def resume(work: Path, count: int) -> bool:
    """A finished run begun again; memory by teams and by dialogues."""
    store = judge(work / "cache")
    peaks = {}
    seconds = 0.0
    for name, dialogues, teams in (("few", 3, count // 4), ("teams", 3, count), ("dialogues", 12, count // 4)):
        dev = data(work / f"dev-{name}", dialogues)
        rows = []
        for number in range(teams):
            source = submission(work / f"{name}-{number}", dev, number)
            judged(store, dev, source, work / "prepared", collected=False)
            rows.append((f"team-{number:03}", f'submission = "{source.name}"'))
        listed = teams_file(work / f"{name}.toml", rows)
        begun = evaluate(listed, dev, work / f"run-{name}", 2)
        again = evaluate(listed, dev, work / f"run-{name}", 2)
        peaks[name] = max(begun.peak_mib, again.peak_mib)
        print(
            f"evaluate: {teams} teams of {2 * dialogues} dialogues: {begun.seconds:.1f} s, resumed when finished in "
            f"{again.seconds:.2f} s; at most {begun.peak_mib:.0f} MiB, then {again.peak_mib:.0f} MiB",
            flush=True,
        )
        seconds = again.seconds if name == "teams" else seconds
    ratios = [peaks[name] / peaks["few"] for name in ("teams", "dialogues")]
    print(f"evaluate: memory with four times the teams {ratios[0]:.2f}, with four times the dialogues {ratios[1]:.2f}")
    return seconds < 5 and max(ratios) < 1.25


def submission(folder: Path, dev: Path, number: int) -> Path:
    """A good folder of a team's own words."""
    folder.mkdir()
    sample = CHECKOUT / "examples" / "build.py"
    pdf = folder.parent / "description.pdf"
    if not pdf.exists():
        made = folder.parent / "made"
        command = [sys.executable, str(sample), "submission", "--out", str(made), "--dialogues-per-task", "1"]
        command += ["--cache", str(CHECKOUT / ".cache" / "speech")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(made / "system_description.pdf", pdf)
        shutil.copy(made / "submission.json", folder.parent / "submission.json")
    shutil.copy(pdf, folder / "system_description.pdf")
    shutil.copy(folder.parent / "submission.json", folder)
    for language in ("zh", "en"):
        (folder / language).mkdir()
        lines = (dev / language / "task2.jsonl").read_text("utf-8")

        draw = random.Random(f"{number} {language}")  # no two teams say nearly the same
        with (folder / language / "task2.jsonl").open("w", encoding="utf-8") as out:
            for line in map(json.loads, lines.splitlines()):
                texts = [GLUE[language].join(draw.choices(WORDS[language], k=24)) for _ in line["turns"]]
                turns = [
                    {"turn_id": turn["turn_id"], "response_text": text}
                    for turn, text in zip(line["turns"], texts, strict=True)
                ]
                out.write(json.dumps({"dialogue_id": line["dialogue_id"], "turns": turns}, ensure_ascii=False) + "\n")
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="A whole evaluation, measured.")
    parser.add_argument("--teams", type=int, default=20)
    parser.add_argument("--resumed", type=int, default=100)
    parser.add_argument("--only", choices=["containers", "resume"])
    chosen = parser.parse_args()
    good = True
    for name, measure, count in (("containers", containers, chosen.teams), ("resume", resume, chosen.resumed)):
        if chosen.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="humdial-bench-") as folder:
                os.environ["HUMDIAL_CACHE"] = str(Path(folder).resolve() / "cache")
                good = measure(Path(folder).resolve(), count) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
