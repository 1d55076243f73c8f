"""The docker build contexts of the sample teams: their sources and what has to be made for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import soundfile

from generator.dialogues import LANGUAGES
from generator.speech import RATE_HZ, REPLY_VOICES, Synthesiser, plain, read_wav
from generator.team_code import FOLDER, NAMES, team_module
from generator.training import knowledge

LAZY_CLIPS = {"en": "I see.", "zh": "好的，我知道了。"}
LAZY_VOICES = {"en": "en-us", "zh": "cmn-latn-pinyin"}
HOSTILE_VOICES = {"en": "en-us+m5", "zh": "cmn-latn-pinyin+m5"}


def write_contexts(out: Path, seed: int, synthesiser: Synthesiser) -> None:
    """Write `{out}/{team}/` for every sample team."""
    for team in NAMES:
        _copy_sources(FOLDER / team, out / team)
    _equip_careful(out / "careful", seed, synthesiser)
    _equip_lazy(out / "lazy", synthesiser)
    _equip_hostile(out / "hostile", synthesiser)


def _copy_sources(source: Path, target: Path) -> None:
    """Copy the files with modes of our own: the image runs as a user who is nobody in it."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.is_file():
            copied = Path(shutil.copyfile(path, target / path.name))
            copied.chmod(0o755 if path.suffix == ".sh" else 0o644)


def _equip_careful(context: Path, seed: int, synthesiser: Synthesiser) -> None:
    """knowledge.json out of the training recordings, and a recording of every sentence that a reply can hold."""
    known = knowledge(seed, synthesiser)
    (context / "knowledge.json").write_text(json.dumps(known, ensure_ascii=False, separators=(",", ":")), "utf-8")
    replies, voice = team_module("careful", "replies"), team_module("careful", "voice")
    for language in LANGUAGES:
        sentences = replies.spoken(language, known["sentences"][language], known["stories"][language])
        utterances = {sentence: plain(sentence, REPLY_VOICES[language]) for sentence in sentences}
        synthesiser.speak_all(utterances.values())
        folder = context / "clips" / language
        folder.mkdir(parents=True, exist_ok=True)
        for sentence, utterance in utterances.items():
            samples = read_wav(synthesiser.path(utterance))
            soundfile.write(folder / voice.clip_name(sentence), samples, RATE_HZ, format="WAV", subtype="IMA_ADPCM")


def _equip_lazy(context: Path, synthesiser: Synthesiser) -> None:
    for language in LANGUAGES:
        utterance = plain(LAZY_CLIPS[language], LAZY_VOICES[language])
        shutil.copyfile(synthesiser.speak(utterance), context / f"clip-{language}.wav")


def _equip_hostile(context: Path, synthesiser: Synthesiser) -> None:
    replies = json.loads((FOLDER / "hostile" / "replies.json").read_text("utf-8"))
    for language in LANGUAGES:
        for number, text in enumerate(replies[language]):
            spoken = synthesiser.speak(plain(text, HOSTILE_VOICES[language]))
            shutil.copyfile(spoken, context / f"clip-{language}-{number}.wav")
