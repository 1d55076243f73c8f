"""A correct folder submission, written with the annotations at hand: what a team hands in that sends no image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from generator.dialogues import Dialogue
from generator.layout import write_jsonl
from generator.pdf import text_pdf
from generator.speech import RATE_HZ, Synthesiser, Utterance, plain, read_wav, write_wav

TEAM = "paper"
VOICES = {"zh": "cmn-latn-pinyin+f5", "en": "en-gb+m7"}
SPOKEN_TASK = "task4"
WORDS = {
    "en": {
        **{"happy": "joy", "sad": "sadness", "anger": "anger", "fear": "fear"},
        **{"neutral": "calm", "surprise": "surprise", "disgust": "disgust"},
        "trace": "I heard {path}, and in the end calm.",
        "then": ", then ",
        "why": "I believe that {cause}.",
    },
    "zh": {
        **{"happy": "高兴", "sad": "难过", "anger": "生气", "fear": "害怕"},
        **{"neutral": "平静", "surprise": "惊讶", "disgust": "厌恶"},
        "trace": "我听到的是{path}，最后归于平静。",
        "then": "，然后是",
        "why": "我想，{cause}。",
    },
}
MANIFEST: dict[str, Any] = {
    "schema_version": 1,
    "team": TEAM,
    "display_name": "Paper Team 纸上谈兵",
    "system": "paper-1",
    "tracks": ["track1"],
    "languages": ["zh", "en"],
    "resources": [
        {
            "kind": "software",
            "name": "espeak-ng",
            "version": "1.51",
            "url": "https://github.com/espeak-ng/espeak-ng",
            "licence": "GPL-3.0-or-later",
        }
    ],
    "declarations": {
        "no_commercial_tts": True,
        "no_test_data_in_training": True,
        "single_model": True,
        "open_models_only": True,
    },
}
PAGES = (
    (
        "System description: paper-1",
        "",
        "The replies of this submission were put together from sentences written by hand for each situation",
        "of the synthetic sample challenge. Nothing was recognised and nothing was learnt: it shows what a",
        "correct folder looks like, not what a system can do.",
    ),
    ("Audio and resources", "", "Replies are spoken by espeak-ng 1.51 (GPL-3.0-or-later), 16 kHz, mono, 16 bit."),
)


def write_submission(out: Path, dialogues: Sequence[Dialogue], synthesiser: Synthesiser, *, release: bool) -> None:
    """Write the submission to `out` (release: to its root folder HD-Track1/ below `out`), complete and valid."""
    root = out / "HD-Track1" if release else out
    root.mkdir(parents=True, exist_ok=True)
    if not release:
        (root / "submission.json").write_text(json.dumps(MANIFEST, ensure_ascii=False, indent=2) + "\n", "utf-8")
    (root / ("Paper_System_Description.pdf" if release else "system_description.pdf")).write_bytes(text_pdf(PAGES))
    for (language, name), group in groupby(dialogues, key=lambda dialogue: (dialogue.language, dialogue.name)):
        members = list(group)
        write_jsonl(root / language / f"{name}.jsonl", (_row(dialogue) for dialogue in members))
        _write_audio(root / language, [dialogue for dialogue in members if dialogue.task == SPOKEN_TASK], synthesiser)


def _row(dialogue: Dialogue) -> dict[str, Any]:
    joint = " " if dialogue.language == "en" else ""
    turns: list[dict[str, Any]] = []
    for turn, sentences in zip(dialogue.turns, replies(dialogue), strict=True):
        turns.append({"turn_id": turn.turn_id, "response_text": joint.join(sentences)})
        if dialogue.task == SPOKEN_TASK:
            turns[-1]["response_audio"] = _reply_file(dialogue, turn.turn_id)
    return {"dialogue_id": dialogue.dialogue_id, "turns": turns}


def _reply_file(dialogue: Dialogue, turn_id: int) -> str:
    return f"{dialogue.name}/{dialogue.dialogue_id}_{turn_id}_response.wav"


def replies(dialogue: Dialogue) -> list[list[str]]:
    """The reply to every turn, each a list of sentences."""
    story, words = dialogue.situation, WORDS[dialogue.language]
    answers = []
    for turn in dialogue.turns:
        if turn.moment is not None:
            answers.append([story.turns[turn.moment].reply])
        elif dialogue.task == "task2":
            path = words["then"].join(words[told.emotion] for told in dialogue.turns[:-1])
            answers.append([words["trace"].format(path=path), story.advice])
        else:
            answers.append([words["why"].format(cause=story.cause), story.advice])
    if dialogue.task == SPOKEN_TASK:
        answers[-1].append(story.advice)
    return answers


def _write_audio(folder: Path, dialogues: Sequence[Dialogue], synthesiser: Synthesiser) -> None:
    def spoken(dialogue: Dialogue) -> list[list[Utterance]]:
        voice = VOICES[dialogue.language]
        return [[plain(sentence, voice) for sentence in sentences] for sentences in replies(dialogue)]

    synthesiser.speak_all(one for dialogue in dialogues for reply in spoken(dialogue) for one in reply)
    pause = np.zeros(RATE_HZ // 5)
    for dialogue in dialogues:
        for turn, reply in zip(dialogue.turns, spoken(dialogue), strict=True):
            target = folder / _reply_file(dialogue, turn.turn_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            parts = [part for one in reply for part in (read_wav(synthesiser.path(one)), pause)]
            write_wav(target, np.concatenate(parts))
