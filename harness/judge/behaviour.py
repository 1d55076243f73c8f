"""The likelihood judge's look at behaviour: two contrasts and plain rules about time. Pure; the model is in engines/.

A system that goes on says what it would have said in calm; one that turns to what it heard says what follows from
that. Each is a likelihood of the same new words against the same words after a greeting, in nats a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.documents.verdict import JudgeRequest
from harness.judge.contrasts import Contrast, Probe

RESPOND, RESUME, UNCERTAIN, UNKNOWN = "RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN"
_LINE = re.compile(r"\[ ?(\d+\.\d+)–(\d+\.\d+) s\] ?(.*)")
_TAIL_S = 0.6  # a stretch that begins this soon after the break-in was being spoken already


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of speech with its times."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A request of the task behaviour, taken apart: ``calm`` is the answer in calm, ``begun`` what had been said when
    somebody broke in, ``new`` the first new words after that."""

    calm: str
    begun: str
    query: str
    break_in: str
    new: str


def stretches(text: str) -> tuple[Stretch, ...]:
    """The lines of a turn that carry times; others are not speech."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return tuple(Stretch(float(m[1]), float(m[2]), m[3].strip()) for m in found if m and m[3].strip())


def talk_of(request: JudgeRequest, reply: str) -> Talk:
    """``reply`` is what was said from the break-in on, or a version of it."""
    calm, asked, broken = request.context
    heard = stretches(broken.user)
    return Talk(
        calm=_words(calm.reply),
        begun=_words(asked.reply),
        query=_words(asked.user),
        break_in=_words(broken.user),
        new=_new(stretches(reply), heard[0] if heard else None),
    )


def _words(text: str) -> str:
    return " ".join(each.text for each in stretches(text))


def _new(said: Sequence[Stretch], break_in: Stretch | None) -> str:
    """The first stretch that is not the end of a sentence under way; that end itself when it outlasts the break-in."""
    if not said or break_in is None:
        return ""
    first, rest = said[0], said[1:]
    if first.start_s - break_in.start_s > _TAIL_S or first.end_s - break_in.end_s > _TAIL_S:
        return first.text
    return rest[0].text if rest else ""


def contrasts(talk: Talk, texts: Mapping[str, Any]) -> dict[str, Contrast]:
    """What speaks for RESPOND and what for RESUME, as differences of likelihood of the new words."""
    target = str(texts["gap"]) + talk.new
    nothing = _story([str(texts["greeting"])], texts)
    turned = _story([talk.query, talk.break_in], texts)
    again = str(texts["again"]).replace("{{begun}}", talk.begun).replace("{{calm}}", talk.calm)
    return {
        RESPOND: Contrast(((Probe(turned, target), Probe(nothing, target)),)),
        RESUME: Contrast(((Probe(again, target), Probe(nothing, target)),)),
    }


def _story(said: Sequence[str], texts: Mapping[str, Any]) -> str:
    return "".join(str(texts["turn"]).replace("{{user}}", each) for each in said) + str(texts["reply"])


def label_of(values: Mapping[str, float], floors: Mapping[str, float]) -> str:
    """The label whose contrast passes its floor by more; UNCERTAIN when neither does."""
    beyond = {label: values[label] - floors[label] for label in (RESPOND, RESUME)}
    best = max(beyond, key=lambda label: beyond[label])
    return best if beyond[best] >= 0 else UNCERTAIN


def agreed(labels: Sequence[str]) -> str:
    """The label of all versions of a reply that speaks to the judge; UNKNOWN, which nobody wants, when they differ."""
    return labels[0] if labels and len(set(labels)) == 1 else UNKNOWN
