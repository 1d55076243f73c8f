"""Dialogues with emotion paths: which situation, how many turns, which wording, which voice. Pure and seeded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from generator.situations import ASKING_TASKS, NEUTRAL, Situation, questions, situations
from generator.speech import VOICES, Utterance, prosody

TASKS = ("task2", "task3", "task4")
LANGUAGES = ("zh", "en")
TURN_COUNTS = (4, 3, 5)
"""Every dialogue has 3 to 5 turns; the three lengths come in equal shares."""

RELEASE_NAMES = {"task2": "HD-Track1-T1", "task3": "HD-Track1-T2", "task4": "HD-Track1-T3"}
RELEASE_ID_NAMES = {"task2": "task1", "task3": "task2", "task4": "task3"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the user. ``moment`` is its place in the situation, None for the closing question."""

    turn_id: int
    text: str
    emotion: str
    utterance: Utterance
    moment: int | None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One dialogue; ``name`` is what the layout calls its task, ``dialogue_id`` follows the challenge's pattern."""

    task: str
    name: str
    language: str
    dialogue_id: str
    situation: Situation
    turns: tuple[Turn, ...]

    def audio_file(self, turn: Turn) -> str:
        """The turn's WAV, relative to the folder of the JSONL."""
        return f"{self.name}/{self.dialogue_id}_{turn.turn_id}.wav"


def compose(seed: int, per_task: int, languages: tuple[str, ...], layout: str) -> list[Dialogue]:
    """``per_task`` dialogues of every task and language. The same arguments give the same dialogues for ever."""
    return [
        dialogue
        for language in languages
        for task in TASKS
        for dialogue in _compose_task(Random(f"{seed}/{language}/{task}"), task, language, per_task, layout)
    ]


def _compose_task(random: Random, task: str, language: str, count: int, layout: str) -> Iterator[Dialogue]:
    told: set[tuple[str, ...]] = set()
    lengths = itertools.cycle(TURN_COUNTS)
    for serial, situation in zip(range(1, count + 1), _endless(random, language), strict=False):
        turns = _choose_unheard(random, situation, task, next(lengths), told)
        id_name = RELEASE_ID_NAMES[task] if layout == "release" else task
        yield Dialogue(
            task=task,
            name=RELEASE_NAMES[task] if layout == "release" else task,
            language=language,
            dialogue_id=f"{id_name}_{len(turns)}_{language}_{situation.number:04d}_{serial:04d}",
            situation=situation,
            turns=turns,
        )


def _endless(random: Random, language: str) -> Iterator[Situation]:
    """All situations in a drawn order, then all again in another: no situation is told far more often than others."""
    while True:
        order = list(situations(language))
        random.shuffle(order)
        yield from order


def _choose_unheard(
    random: Random, situation: Situation, task: str, length: int, told: set[tuple[str, ...]]
) -> tuple[Turn, ...]:
    """Prefer wordings not used together before; a large set runs out of them in the end and repeats."""
    for _ in range(20):
        turns = _tell(random, situation, task, length)
        words = tuple(turn.text for turn in turns)
        if words not in told:
            break
    told.add(words)
    return turns


def _tell(random: Random, situation: Situation, task: str, length: int) -> tuple[Turn, ...]:
    voice = random.choice(VOICES[situation.language])
    asking = task in ASKING_TASKS
    lines: list[tuple[str, str, int | None]] = [
        (random.choice(moment.say), moment.emotion, number)
        for number, moment in enumerate(situation.turns[: length - asking])
    ]
    if asking:
        lines.append((random.choice(questions(situation.language, task)), NEUTRAL, None))
    return tuple(
        Turn(number, text, emotion, prosody(random, text, voice, emotion), moment)
        for number, (text, emotion, moment) in enumerate(lines, start=1)
    )
