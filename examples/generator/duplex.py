"""The full-duplex sample: one input a scenario and language with its clean counterpart, the organisers' key, and the
build context of a team image that listens while it talks."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from generator.layout import write_jsonl
from generator.speech import RATE_HZ, VOICES, Synthesiser, Utterance, plain, read_wav, write_wav

EXAMPLES = Path(__file__).resolve().parent.parent
TEXTS = EXAMPLES / "situations" / "duplex.toml"
TEAM = EXAMPLES / "duplex"
# Scenario and part, in the order of the key; which halves of speech have a clean counterpart.
CASES = (
    *(("follow_up", None), ("negation", None), ("repetition", None), ("topic_switch", None), ("termination", None)),
    *(("backchannel", None), ("pause", None), ("third_party", "after"), ("third_party", "before")),
    ("directed_at_others", None),
)
NO_CLEAN = {("pause", None), ("third_party", "before")}
# Seconds: before the first word, to what breaks in, to a third piece, the user's own pause, and for the last answer.
LEAD, BREAK_IN, NEXT, PAUSE, TAIL = 0.5, 2.6, 1.2, 0.8, 5.5
CLIPS = {
    "answer": "I would begin with a short list, then take one thing after the other, and keep some time for a break.",
    "again": "All right, let me answer that. There is a simple way, and it takes only a few minutes.",
}
VOICE = "en-us+f4"


def write_duplex(out: Path, seed: int, synthesiser: Synthesiser) -> int:
    """Write inputs/ (test/, clean/, key.jsonl) and team/; returns how many inputs there are."""
    texts = tomllib.loads(TEXTS.read_text("utf-8"))
    random = Random(seed)
    synthesiser.speak_all(_utterances(texts))
    places = [(language, *case) for language in texts for case in CASES]
    numbers = random.sample(range(1, 1000), 2 * len(places))  # equal numbers of test and clean are no pairs
    rows = []
    for index, (language, scenario, part) in enumerate(places):
        name = scenario if part is None else f"{scenario}_{part}"
        samples, segments = _input(name, texts[language][name], language, synthesiser)
        file = f"test-{numbers[index]:06d}"
        clean = None if (scenario, part) in NO_CLEAN else f"clean-{numbers[len(places) + index]:06d}"
        _write(out / "inputs" / "test" / f"{file}.wav", samples)
        if clean is not None:
            _write(out / "inputs" / "clean" / f"{clean}.wav", _clean(samples, segments, scenario))
        row = {"file": file, "language": language, "scenario": scenario, "part": part, "clean": clean}
        rows.append({**row, "final_duration": len(samples) / RATE_HZ, "speech_segments": segments})
    rows.sort(key=lambda row: row["file"])
    write_jsonl(out / "inputs" / "key.jsonl", rows)
    write_team(out / "team", synthesiser)
    return len(rows)


def write_team(context: Path, synthesiser: Synthesiser) -> None:
    """The build context of the sample image: its sources and what it says."""
    context.mkdir(parents=True, exist_ok=True)
    for source in sorted(TEAM.iterdir()):
        shutil.copyfile(source, context / source.name)
        (context / source.name).chmod(0o644)
    for name, text in CLIPS.items():
        shutil.copyfile(synthesiser.speak(plain(text, VOICE)), context / f"{name}.wav")
        (context / f"{name}.wav").chmod(0o644)


def _voice(language: str, role: str) -> str:
    """Whoever is not the user has another voice."""
    return VOICES[language][1 if role == "other" else 0]


def _pieces(name: str, texts: dict[str, str]) -> list[tuple[str, str]]:
    """(role, text) in the order of speaking; the roles say who speaks and when."""
    query, second = ("user", texts["query"]), texts.get("second", "")
    if name == "pause":
        return [query, ("user", texts["rest"])]
    if name == "third_party_before":
        return [("other", second), query]
    if name == "third_party_after":
        return [query, ("other", second)]
    return [query, ("user", second), *([("user", texts["remark"])] if "remark" in texts else [])]


def _utterances(texts: dict[str, dict[str, dict[str, str]]]) -> list[Utterance]:
    return [
        plain(text, _voice(language, role))
        for language, scenarios in texts.items()
        for name, said in scenarios.items()
        for role, text in _pieces(name, said)
    ]


def _input(
    name: str, texts: dict[str, str], language: str, synthesiser: Synthesiser
) -> tuple[npt.NDArray[np.floating], list[dict[str, Any]]]:
    """The recording and its segments. What breaks in does so while an answer of some seconds would be spoken; a pause
    and a speaker before the query come without one."""
    gaps = {"pause": [PAUSE], "third_party_before": [NEXT]}.get(name, [BREAK_IN, NEXT])
    parts, segments, at = [], [], LEAD
    for index, (role, text) in enumerate(_pieces(name, texts)):
        spoken = _trimmed(read_wav(synthesiser.path(plain(text, _voice(language, role)))))
        if index:
            at += gaps[index - 1]
        parts.append((round(at * RATE_HZ), spoken))
        end = at + len(spoken) / RATE_HZ
        segments.append({"xmin": round(at, 3), "xmax": round(end, 3), "text": text})
        at = end
    samples = np.zeros(round((at + TAIL) * RATE_HZ))
    for start, spoken in parts:
        samples[start : start + len(spoken)] = spoken
    if name == "pause":  # one utterance with a break in it
        whole = f"{segments[0]['text']} [break] {segments[1]['text']}"
        segments = [{"xmin": segments[0]["xmin"], "xmax": segments[1]["xmax"], "text": whole}]
    return samples, segments


def _trimmed(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Without the silence around it, so that segments are where the voice is."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1] + 1]


def _clean(
    samples: npt.NDArray[np.floating], segments: list[dict[str, Any]], scenario: str
) -> npt.NDArray[np.floating]:
    """Silence but for the first query; for speech directed at others, the follow-up in the place of the first query
    and no remark."""
    places = [(round(each["xmin"] * RATE_HZ), round(each["xmax"] * RATE_HZ)) for each in segments]
    made = samples.copy()
    if scenario == "directed_at_others":
        made[places[2][0] : places[2][1]] = 0
        return np.concatenate([made[: places[0][0]], made[places[1][0] :]])
    made[places[0][1] :] = 0
    return made


def _write(path: Path, samples: npt.NDArray[np.floating]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, samples)
