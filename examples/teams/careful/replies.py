"""Composes replies from what was heard: the emotional path, the events, the cause, a little advice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PHRASES: dict[str, Any] = json.loads((Path(__file__).resolve().parent / "phrases.json").read_text("utf-8"))
NEUTRAL = "neutral"

Heard = Mapping[str, Any]
"""A recognised sentence: emotion, event, reply, situation (None for a closing question)."""


def compose(task: str, language: str, dialogue: Sequence[Heard], stories: Mapping[str, Any]) -> list[list[str]]:
    """The reply to every turn, each a list of sentences; ``stories`` maps a situation to its cause and advice."""
    told = [moment for moment in dialogue if moment["situation"] is not None]
    story = stories[_commonest(moment["situation"] for moment in told)] if told else None
    replies = [_answer(language, dialogue[: number + 1], story) for number in range(len(dialogue))]
    if story is None:
        return replies
    if task == "task2":
        replies[-1] = _trace(language, told, story)
    elif task == "task3":
        replies[-1] = _explain(language, told, story)
    else:
        replies[-1].append(story["advice"])
    return replies


def spoken(language: str, sentences: Sequence[Heard], stories: Mapping[str, Any]) -> list[str]:
    """Every sentence that a spoken (task 4) reply can hold, so that the build can have them recorded."""
    phrases = PHRASES[language]
    emotions = sorted(phrases["noun"])
    moved = [_moved(language, one, other) for one in emotions for other in emotions if NEUTRAL not in (one, other)]
    return list(
        dict.fromkeys(
            [
                phrases["unknown"],
                *phrases["opener"].values(),
                *moved,
                *(moment["reply"] for moment in sentences if moment["situation"] is not None),
                *(phrases["deeper"].format(cause=story["cause"]) for story in stories.values()),
                *(story["advice"] for story in stories.values()),
            ]
        )
    )


def _commonest(names: Iterable[str]) -> str:
    """The name that occurs most often, the first of equals."""
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return max(counted, key=lambda name: counted[name])


def _answer(language: str, so_far: Sequence[Heard], story: Mapping[str, str] | None) -> list[str]:
    """Empathy for the last of the turns so far; at the second feeling also where it comes from."""
    phrases, now = PHRASES[language], so_far[-1]
    if now["situation"] is None:
        return [phrases["unknown"]]
    feelings = [moment["emotion"] for moment in so_far if moment["emotion"] != NEUTRAL]
    if now["emotion"] == NEUTRAL or len(feelings) < 2:
        return [phrases["opener"][now["emotion"]], now["reply"]]
    sentences = [_moved(language, *feelings[-2:]), now["reply"]]
    if len(feelings) == 2 and story is not None:
        sentences.append(phrases["deeper"].format(cause=story["cause"]))
    return sentences


def _moved(language: str, before: str, after: str) -> str:
    phrases = PHRASES[language]
    if before == after:
        return str(phrases["opener"][after])
    return str(phrases["moved"].format(before=phrases["noun"][before], after=phrases["noun"][after]))


def _trace(language: str, told: Sequence[Heard], story: Mapping[str, str]) -> list[str]:
    """Task 2: the whole path first, then each step with its event, then what ties them together."""
    phrases = PHRASES[language]
    path = [moment["emotion"] for moment in told] + [NEUTRAL]
    path = [emotion for number, emotion in enumerate(path) if number == 0 or emotion != path[number - 1]]
    first, middle, last = phrases["path"]
    nouns = [phrases["noun"][emotion] for emotion in path]
    line = first.format(nouns[0]) + "".join(middle.format(noun) for noun in nouns[1:-1]) + last.format(nouns[-1])
    phases = [_fill(language, "phase", number, moment) for number, moment in enumerate(told)]
    return [line, *phases, phrases["now"], phrases["thread"].format(cause=story["cause"]), story["advice"]]


def _explain(language: str, told: Sequence[Heard], story: Mapping[str, str]) -> list[str]:
    """Task 3: the unspoken cause, then how each event touched it."""
    phrases = PHRASES[language]
    reasons = [_fill(language, "reason", number, moment) for number, moment in enumerate(told)]
    return [phrases["root"].format(cause=story["cause"]), *reasons, phrases["whole"], story["advice"]]


def _fill(language: str, key: str, number: int, moment: Heard) -> str:
    """The phrase for the first, the second or a later step."""
    phrases = PHRASES[language]
    pattern = phrases[key][min(number, len(phrases[key]) - 1)]
    feeling, noun = phrases["feeling"][moment["emotion"]], phrases["noun"][moment["emotion"]]
    return str(pattern.format(event=moment["event"], feeling=feeling, noun=noun))


def text_of(language: str, sentences: Sequence[str]) -> str:
    """The reply as it is written."""
    return str(PHRASES[language]["joint"]).join(sentences)
