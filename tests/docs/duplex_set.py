"""The smallest whole of Track 2: one dev item, its key, a system's output, words and labels."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import made

from harness.challenge.load import load_challenge

WAVS = Path(__file__).resolve().parents[1] / "data" / "vectors" / "wavs"
PAIR = "pair06_after_end_en_16000"
CHALLENGE = load_challenge()
SECONDS = 251_780 / 16_000


def build(folder: Path) -> None:
    """inputs/ with a key, HD-Track2.zip, words/, labels.jsonl, the pair as input.wav and output.wav, a run's
    outputs, and in all-scores/
    the reports of the baseline and of a faster system."""
    user, model = (WAVS / f"{PAIR}_{who}.wav" for who in ("user", "model"))
    for name, source in {"input.wav": user, "output.wav": model}.items():
        shutil.copyfile(source, folder / name)
    for part, name in (("test", "test-000001"), ("clean", "clean-000001")):
        (folder / "inputs" / part).mkdir(parents=True)
        shutil.copyfile(user, folder / "inputs" / part / f"{name}.wav")
    line = {
        "file": "test-000001",
        "language": "en",
        "scenario": "follow_up",
        "part": None,
        "clean": "clean-000001",
        "final_duration": SECONDS,
        "speech_segments": [{"xmin": 0.542, "xmax": 2.484, "text": "a"}, {"xmin": 10.247, "xmax": 11.986, "text": "b"}],
    }
    (folder / "inputs" / "key.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (folder / "words" / "test").mkdir(parents=True)
    words = {"text": "well", "chunks": [{"text": "well", "timestamp": [14.0, 14.4]}]}
    (folder / "words" / "test" / "test-000001_output.json").write_text(json.dumps(words), "utf-8")
    labels = {"file": "test-000001", "behaviour": ["RESPOND"]}
    (folder / "labels.jsonl").write_text(json.dumps(labels) + "\n", "utf-8")
    for team, delay_s in (("baseline", 2.5), ("beta", 1.2)):
        report = {
            "schema_version": 1,
            "team": team,
            "display_name": team,
            "system": "one",
            "track": "track2",
            "policy": "strict",
            "late": False,
            "baseline": team == "baseline",
            "challenge": {"id": CHALLENGE.id, "digest": CHALLENGE.digest},
            "judge": None,
            "dimensions": [],
            "measures": {
                "interruption": {"zh": 60, "en": 60},
                "rejection": {"zh": 60, "en": 60},
                "total_delay_s": delay_s,
            },
            "items": None,
            "complete": True,
        }
        (folder / "all-scores" / team).mkdir(parents=True)
        (folder / "all-scores" / team / "report.json").write_text(json.dumps(report), "utf-8")
    for name in ("test/test-000001", "clean/clean-000001"):
        place = folder / "runs" / "alpha" / "submission" / f"{name}_output.wav"
        place.parent.mkdir(parents=True)
        shutil.copyfile(model, place)
    with zipfile.ZipFile(folder / "HD-Track2.zip", "w") as archive:
        archive.write(model, "HD-Track2/test/test-000001_output.wav")
        archive.write(model, "HD-Track2/clean/clean-000001_output.wav")
        archive.writestr("HD-Track2/alpha_System_Description.pdf", made.pdf())
