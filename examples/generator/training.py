"""What the careful team learns from: the sentence bank read aloud by a training speaker, annotated as training data is.

The sample's users have other voices, and vary pitch and speed; their recordings are never seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from generator.dialogues import LANGUAGES
from generator.situations import ASKING_TASKS, NEUTRAL, questions, situations
from generator.speech import Synthesiser, Utterance, prosody
from generator.team_code import team_module

TRAINING_VOICES = {"zh": "cmn-latn-pinyin+m1", "en": "en-us+f1"}


def knowledge(seed: int, synthesiser: Synthesiser) -> dict[str, Any]:
    """`sentences` and `stories` a language: features and annotations of every sentence, cause and advice of a story."""
    sentences = {language: _sentences(language) for language in LANGUAGES}
    spoken = {language: _read_aloud(seed, language, sentences[language]) for language in LANGUAGES}
    synthesiser.speak_all(utterance for language in LANGUAGES for utterance in spoken[language])
    with ProcessPoolExecutor() as pool:
        for language in LANGUAGES:
            paths = [synthesiser.path(utterance) for utterance in spoken[language]]
            for sentence, found in zip(sentences[language], pool.map(features, paths, chunksize=16), strict=True):
                sentence["features"] = found
    stories = {
        language: {story.name: {"cause": story.cause, "advice": story.advice} for story in situations(language)}
        for language in LANGUAGES
    }
    return {"sentences": sentences, "stories": stories}


def _sentences(language: str) -> list[dict[str, Any]]:
    """Every sentence of the bank with what an annotator would write beside it."""
    told = [
        {"text": text, "emotion": turn.emotion, "event": turn.event, "reply": turn.reply, "situation": story.name}
        for story in situations(language)
        for turn in story.turns
        for text in turn.say
    ]
    asked = [
        {"text": text, "emotion": NEUTRAL, "event": None, "reply": None, "situation": None}
        for task in ASKING_TASKS
        for text in questions(language, task)
    ]
    return told + asked


def _read_aloud(seed: int, language: str, sentences: Sequence[dict[str, Any]]) -> list[Utterance]:
    random = Random(f"training/{seed}/{language}")
    voice = TRAINING_VOICES[language]
    return [prosody(random, sentence["text"], voice, sentence["emotion"]) for sentence in sentences]


def features(path: Path) -> list[int]:
    """The features of one recording, by the same code that runs in the image."""
    listen: ModuleType = team_module("careful", "listen")
    found: list[int] = listen.features(*listen.read_pcm16(path))
    return found
