"""An evaluation of Track 2 against a script that only listens: voice activity of the same WAVs, one after the other.

    .venv/bin/python benchmarks/evaluate_pairs.py [--inputs 400] [--folder DIR]

Two teams answer the inputs, half of them interruptions, with 15 s of real speech; words are ready and the judge's
verdicts are stored, since writing down and judging are the same work on both sides. `--inputs 5000` is the official
number of those that are listened to; it takes about ten times the default.

Prints ratios. The aims: one worker at most 1.5 of the script's time (all outputs are checked, decoded in a child and
written once more for the judge, too) and two at least 1.5 times as fast as one (two teams can be heard at once); a
finished run resumed in under 5 s; four times the inputs need the same memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr
from duplex import TEAM
from evaluate import CHECKOUT, PROFILE, Ended, evaluate, judge, keep
from validate import pdf

from harness.challenge.load import load_challenge
from harness.documents.duplex import HearingTerms
from harness.documents.verdict import Verdict
from harness.evaluation.preparing import read_requests, source_digest
from harness.evaluation.tasks import Heard, HearTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.hearing.voice_activity import VoiceActivity, voice_activity_version
from harness.judge.talk_canaries import planted_talks, talk_requests

TRACK, RATE = "track2", 8000
WAVS = CHECKOUT / "tests" / "data" / "vectors" / "wavs"
SEGMENTS = [(0.656, 3.409, "a"), (6.548, 10.066, "b")]
INTERRUPTIONS = ("follow_up", "negation", "repetition", "topic_switch", "termination")
CLEAN = {*INTERRUPTIONS, "backchannel", "third_party", "directed_at_others"}
CASES = [
    *((name, None) for name in INTERRUPTIONS),
    *(("backchannel", None), ("pause", None), ("third_party", "after"), ("third_party", "before")),
    ("directed_at_others", None),
]
_FEWEST = 8 * len(CASES)
TEAMS = {"alpha": 0.0, "baseline": 0.4}  # how much later each speaks, in seconds


def made(folder: Path, count: int) -> Path:
    """Inputs with their key, ready words, and what two teams answered. No two WAVs are alike."""
    sounds = {side: _speech(side) for side in ("user", "model")}
    random, lines = np.random.default_rng(5), []
    for number in range(1, count + 1):
        scenario, part = CASES[number % len(CASES)]
        name, language = f"test-{number:06d}", ("zh", "en")[number // len(CASES) % 2]
        clean = f"clean-{number:06d}" if scenario in CLEAN and part != "before" else None
        segments = SEGMENTS[: 2 if scenario in CLEAN else 1]
        marked = [{"xmin": start, "xmax": end, "text": text} for start, end, text in segments]
        line = {"file": name, "language": language, "scenario": scenario, "part": part, "clean": clean}
        lines.append({**line, "final_duration": len(sounds["user"]) / RATE, "speech_segments": marked})
        for stem in filter(None, (name, clean)):
            _write(folder / "inputs" / stem.split("-")[0] / f"{stem}.wav", sounds["user"], random)
            for team, later_s in TEAMS.items():
                place = f"{stem.split('-')[0]}/{stem}_output"
                _write(folder / team / f"{place}.wav", np.roll(sounds["model"], round(later_s * RATE)), random)
                words = folder / "words" / team / f"{place}.json"
                words.parent.mkdir(parents=True, exist_ok=True)
                chunk = {"text": "well", "timestamp": [10.8 + later_s, 11.2 + later_s]}
                words.write_text(json.dumps({"text": "well", "chunks": [chunk]}), "utf-8")
    (folder / "inputs" / "key.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    rows = []
    for team in TEAMS:
        (folder / team / "submission.json").write_text(json.dumps({**TEAM, "team": team}), "utf-8")
        (folder / team / "system_description.pdf").write_bytes(pdf())
        rows.append(f'[[team]]\nname = "{team}"\ntrack = "{TRACK}"\nsubmission = "{team}"\n')
    (folder / "teams.toml").write_text("".join(rows) + "baseline = true\n", "utf-8")
    return folder


def _speech(side: str) -> np.ndarray:
    return soundfile.read(WAVS / f"pair03_interrupt_stop_zh_8000_{side}.wav", dtype="int16")[0]


def _write(path: Path, samples: np.ndarray, random: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.integers(-8, 9, len(samples)).astype(np.int16)  # far below speech
    soundfile.write(path, np.clip(samples.astype(np.int32) + noise, -32768, 32767).astype(np.int16), RATE, "PCM_16")


def judged(store: VerdictStore, folder: Path) -> None:
    """Store the verdicts of what both teams said, and of the known-answer items."""
    challenge = load_challenge()
    profile = challenge.judges[PROFILE]
    fingerprint = f"sha256:{store.folder.name}"
    talks = {talk.name: sorted(talk.accepted)[0] for talk in planted_talks(challenge, profile)}
    for name, request in talk_requests(challenge, profile, fingerprint).items():
        marks: dict[str, int | str] = dict.fromkeys(request.dimensions, talks[name])
        store.keep([Verdict(request.item, request.sample, marks, {}, "0" * 64, 1, "scored")])
    hearing = HearingTerms("words", "", "", voice_activity_version())
    setting = Setting(
        "humdial-2026", folder / "inputs", folder / "inputs", PROFILE, "strict", TRACK, fingerprint, "0", "0",
        hearing=hearing, transcripts=folder / "words",
    )  # fmt: skip
    for team in TEAMS:
        source = folder / team
        done = execute(HearTask(team, source, False, folder / "work" / team, source_digest(source), team), setting)
        if not isinstance(done, Heard):
            raise SystemExit(f"evaluate_pairs: the benchmark's own outputs cannot be heard: {done}")
        requests = list(read_requests(done.requests).values())
        keep(store, [request for request in requests if request.task != "behaviour"], 4)
        for request in requests:
            if request.task == "behaviour":
                answer: dict[str, int | str] = dict.fromkeys(request.dimensions, "RESPOND")
                store.keep([Verdict(request.item, request.sample, answer, {}, "0" * 64, 1, "scored")])


def script(folder: Path) -> float:
    """Seconds of listening alone: the outputs, and the inputs that outputs are timed against."""
    rules = load_challenge().duplex
    assert rules is not None
    activity, key = VoiceActivity(rules.voice_activity), (folder / "inputs" / "key.jsonl").read_text("utf-8")
    names = [json.loads(line) for line in key.splitlines()]
    wanted = [folder / team / "test" / f"{line['file']}_output.wav" for line in names for team in TEAMS]
    timed = [line["file"] for line in names if line["scenario"] in INTERRUPTIONS]
    wanted += [folder / "inputs" / "test" / f"{name}.wav" for name in timed]
    begun = time.perf_counter()
    for path in wanted:
        samples, _ = soundfile.read(path, dtype="float32")
        activity.segments(soxr.resample(samples, RATE, 16_000))
    return time.perf_counter() - begun


def run(folder: Path, name: str, jobs: int) -> Ended:
    more = ["--recogniser", "none", "--transcripts", str(folder / "words")]
    return evaluate(folder / "teams.toml", folder / "inputs", folder / name, jobs, *more)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=400)
    parser.add_argument("--folder", type=Path, help="where the files are made, instead of the usual temporary folder")
    chosen = parser.parse_args()
    if chosen.inputs < _FEWEST:
        parser.error(f"at least {_FEWEST} inputs: a quarter of them must have every scenario")
    with tempfile.TemporaryDirectory(prefix="humdial-bench-", dir=chosen.folder) as place:
        work = Path(place).resolve()
        os.environ["HUMDIAL_CACHE"] = str(work / "cache")
        store = judge(work / "cache")
        few = made(work / "few", chosen.inputs // 4)
        judged(store, few)
        least = run(few, "run", 1)
        shutil.rmtree(few)
        many = made(work / "many", chosen.inputs)
        judged(store, many)
        plain = script(many)
        one, two, again = run(many, "one", 1), run(many, "two", 2), run(many, "two", 2)
    print(
        f"evaluate_pairs: {chosen.inputs} inputs, 2 teams: script {plain:.1f} s, one worker {one.seconds:.1f} s (ratio "
        f"{one.seconds / plain:.2f}), two workers {two.seconds:.1f} s ({one.seconds / two.seconds:.2f} times as fast), "
        f"resumed when finished in {again.seconds:.2f} s"
    )
    grown = one.peak_mib / least.peak_mib
    print(
        f"evaluate_pairs: at most {least.peak_mib:.0f} MiB, with four times the inputs {one.peak_mib:.0f} ({grown:.2f})"
    )
    good = one.seconds / plain <= 1.5 and one.seconds / two.seconds >= 1.5 and again.seconds < 5 and grown < 1.25
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
