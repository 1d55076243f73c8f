"""A small full-duplex set of real speech: inputs with a key, the outputs of one team, ready words and ready labels."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import soundfile

from harness.resources import data_dir

WAVS = Path(__file__).resolve().parents[1] / "data" / "vectors" / "wavs"
PAIR = "pair06_after_end_en_16000"
SECONDS = 251_780 / 16_000
CASES = [
    *((name, None) for name in ("follow_up", "negation", "repetition", "topic_switch", "termination")),
    *(("backchannel", None), ("pause", None), ("third_party", "after"), ("third_party", "before")),
    ("directed_at_others", None),
]
LABELS = {"backchannel": "C_RESUME", "third_party": "C_RESUME", "directed_at_others": "C_RESUME"}


def small_spec() -> str:
    """The challenge with an interruption, a pause and one language left, and nobody who waits for an idle machine."""
    text = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
    head, *cases = text.split("[[duplex.cases]]\n")
    last, layouts = cases[-1].split("# An input's output", 1)
    kept = [case for case in (*cases[:-1], last) if case.startswith(('scenario = "follow_up"', 'scenario = "pause"'))]
    text = "[[duplex.cases]]\n".join([head, *kept]) + "# An input's output" + layouts
    text = text.replace('languages = ["zh", "en"]', 'languages = ["en"]', 1)
    text = text.replace('languages = { zh = "1/2", en = "1/2" }', 'languages = { en = "1" }', 1)
    return re.sub(r"wait_s = .*", "wait_s = 0.0", text.replace("sample_s = 1.0", "sample_s = 0.1"))


def key_line(number: int, language: str, scenario: str, part: str | None) -> dict[str, Any]:
    clean = scenario not in ("pause",) and part != "before"
    return {
        "file": f"test-{number:06d}",
        "language": language,
        "scenario": scenario,
        "part": part,
        "clean": f"clean-{number:06d}" if clean else None,
        "final_duration": SECONDS,
        "speech_segments": [{"xmin": 0.542, "xmax": 2.484, "text": "a"}, {"xmin": 10.247, "xmax": 11.986, "text": "b"}],
    }


def make_set(root: Path) -> Path:
    """Inputs with a key, the outputs of one team, and ready transcripts and labels for them, in ``root``."""
    for name in ("inputs/test", "inputs/clean", "team/test", "team/clean", "words/test"):
        (root / name).mkdir(parents=True)
    user, _ = soundfile.read(WAVS / f"{PAIR}_user.wav", dtype="int16")
    model, _ = soundfile.read(WAVS / f"{PAIR}_model.wav", dtype="int16")
    words = {"text": "well", "chunks": [{"text": "well", "timestamp": [14.0, 14.4]}]}
    lines, labels = [], []
    both = [*(("en", *case) for case in CASES), ("zh", *CASES[0])]
    for number, (language, scenario, part) in enumerate(both, 1):
        line = key_line(number, language, scenario, part)
        lines.append(line)
        soundfile.write(root / f"inputs/test/{line['file']}.wav", user, 16_000, subtype="PCM_16")
        soundfile.write(root / f"team/test/{line['file']}_output.wav", model, 16_000, subtype="PCM_16")
        (root / f"words/test/{line['file']}_output.json").write_text(json.dumps(words))
        labels.append({"file": line["file"], "behaviour": [LABELS.get(scenario, "C_RESPOND")]})
        if line["clean"]:
            soundfile.write(root / f"inputs/clean/{line['clean']}.wav", user, 16_000, subtype="PCM_16")
            soundfile.write(root / f"team/clean/{line['clean']}_output.wav", model, 16_000, subtype="PCM_16")
    (root / "inputs/key.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in labels))
    manifest = {"schema_version": 1, "team": "alpha", "display_name": "A", "system": "a-1", "tracks": ["track2"]}
    manifest |= {"languages": ["zh", "en"], "resources": [{"kind": "model", "name": "m"}]}
    manifest |= {"declarations": {"no_commercial_tts": True}}
    (root / "team/submission.json").write_text(json.dumps(manifest))
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "submission"))
    import made

    (root / "team/system_description.pdf").write_bytes(made.pdf())
    return root


def only(challenge_set: Path, root: Path, *names: str) -> Path:
    """A copy of the set that has these inputs alone, with what belongs to them."""
    shutil.copytree(challenge_set, root)
    kept = set(names)
    for name in ("inputs/key.jsonl", "labels.jsonl"):
        rows = [json.loads(line) for line in (challenge_set / name).read_text().splitlines()]
        rows = [row for row in rows if row["file"] in names]
        kept |= {row["clean"] for row in rows if row.get("clean")}
        (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    for path in [*root.rglob("*.wav"), *root.rglob("*_output.json")]:
        if path.stem.removesuffix("_output") not in kept:
            path.unlink()
    return root
