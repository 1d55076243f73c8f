"""A full-duplex challenge of two inputs with words and verdicts that are all stored, and evaluations of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench import Bench, Warm, store_judge, verdict_of
from pair_set import small_spec

from harness.challenge.load import load_challenge
from harness.documents.duplex import HearingTerms
from harness.evaluation.judge_image import show_judge
from harness.evaluation.preparing import read_requests, source_digest
from harness.evaluation.tasks import Heard, HearTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.hearing.voice_activity import voice_activity_version
from harness.judge.talk_canaries import planted_talks, talk_requests

WAVS = Path(__file__).resolve().parents[1] / "data" / "vectors" / "wavs"
SEGMENTS = [{"xmin": 0.656, "xmax": 3.409, "text": "a"}, {"xmin": 6.548, "xmax": 10.066, "text": "b"}]
HEARING = HearingTerms("words", "", "", voice_activity_version())


@dataclass(frozen=True)
class PairBench(Bench):
    """``dev`` holds the inputs and their key; words/ holds ready ones, a folder a team; spec.toml is the challenge with
    two scenarios and one language left."""

    @property
    def spec(self) -> Path:
        return self.folder / "spec.toml"

    def arguments(self, out: Path, *more: str, teams: str = "teams.toml") -> list[str]:
        given = ("--recogniser", "none", "--transcripts", str(self.folder / "words"), "--challenge", str(self.spec))
        return super().arguments(out, *given, *more, teams=teams)


def _row(name: str, source: str, *more: str) -> str:
    return "\n".join(["[[team]]", f'name = "{name}"', 'track = "track2"', f'submission = "{source}"', *more, "", ""])


def make_pair_bench(folder: Path, few: Path, warm: Warm) -> PairBench:
    """Four teams on an interruption and a pause: a good one, the same sound with other words in an archive, the
    baseline, whose speech comes later, and one without outputs."""
    shutil.copytree(few / "inputs", folder / "inputs")
    (folder / "spec.toml").write_text(small_spec(), "utf-8")
    sounds = {side: soundfile.read(WAVS / f"pair03_interrupt_stop_zh_8000_{side}.wav") for side in ("user", "model")}
    lines = [json.loads(line) for line in (few / "inputs/key.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        line |= {"final_duration": 15.434, "speech_segments": SEGMENTS[: 2 if line["clean"] else 1]}
    (folder / "inputs/key.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    for path in (folder / "inputs").rglob("*.wav"):
        soundfile.write(path, *sounds["user"], subtype="PCM_16")
    for team, later_s, text in (("alpha", 0.0, "well"), ("baseline", 0.4, "well"), ("delta", 0.0, "so")):
        shutil.copytree(few / "team", folder / team)
        manifest = json.loads((folder / team / "submission.json").read_bytes())
        (folder / team / "submission.json").write_text(json.dumps({**manifest, "team": team, "languages": ["en"]}))
        for path in (folder / team).rglob("*.wav"):
            samples, rate = sounds["model"]
            soundfile.write(path, np.roll(samples, int(later_s * rate)), rate, subtype="PCM_16")
            words = (folder / "words" / team / path.relative_to(folder / team)).with_suffix(".json")
            words.parent.mkdir(parents=True, exist_ok=True)
            said = {"text": text, "chunks": [{"text": text, "timestamp": [10.8 + later_s, 11.2 + later_s]}]}
            words.write_text(json.dumps(said), "utf-8")
    shutil.make_archive(str(folder / "archive"), "zip", folder / "delta")
    (folder / "nothing.zip").write_text("no archive", "utf-8")
    rows = [_row("alpha", "alpha"), _row("baseline", "baseline", "baseline = true")]
    more = [_row("delta", "archive.zip"), _row("gamma", "nothing.zip")]
    (folder / "teams.toml").write_text("".join(rows + more), "utf-8")
    (folder / "swapped.toml").write_text("".join(reversed(rows + more)), "utf-8")
    (folder / "two.toml").write_text("".join(rows), "utf-8")
    (folder / "alone.toml").write_text("".join(rows[:1]), "utf-8")
    bench = PairBench(folder, folder / "inputs", folder / "cache", warm)
    _store(bench)
    warm.rehearse(bench.arguments(folder / "rehearsal", teams="two.toml"), bench.environment())
    shutil.rmtree(folder / "rehearsal")
    return bench


def _store(bench: PairBench) -> None:
    """A judge that was built, its known answers, and what it said of every team."""
    challenge = load_challenge(str(bench.spec))
    profile = challenge.judges["small"]
    store = store_judge(bench.cache)
    fingerprint = f"sha256:{store.folder.name}"
    talks = {talk.name: sorted(talk.accepted)[0] for talk in planted_talks(challenge, profile)}
    for name, request in talk_requests(challenge, profile, fingerprint).items():
        store.keep([verdict_of(request, talks[name])])
    for team, source in (("alpha", "alpha"), ("baseline", "baseline"), ("delta", "archive.zip")):
        store_pair_verdicts(bench, team, bench.folder / source, bench.folder / "work")


def store_pair_verdicts(bench: PairBench, team: str, source: Path, work: Path) -> None:
    """RESPOND, or a mark of 4, for whatever the judge is asked about ``source`` with the words of ``team``."""
    challenge = load_challenge(str(bench.spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUMDIAL_CACHE", str(bench.cache))
        fingerprint = show_judge(challenge, challenge.judges["small"]).fingerprint
    setting = Setting(
        str(bench.spec), bench.dev, bench.dev, "small", "strict", "track2", fingerprint, "0", "0",
        hearing=HEARING, transcripts=bench.folder / "words",
    )  # fmt: skip
    done = execute(HearTask(team, source, False, work / team, source_digest(source), team), setting)
    assert isinstance(done, Heard), done
    store = VerdictStore(bench.cache / "verdicts", fingerprint)
    for request in read_requests(done.requests).values():
        store.keep([verdict_of(request, "RESPOND" if request.task == "behaviour" else 4)])
