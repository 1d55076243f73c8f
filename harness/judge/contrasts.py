"""The likelihood contrasts: what is compared to judge one dimension. Pure text work; the model is in engines/.

A contrast names two likelihoods of the same words. Their difference a token (in nats) says how much of the words is
explained by what stands only in the first condition. Each dimension has a contrast of its own; the spec says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.documents.verdict import JudgeRequest
from harness.errors import UsageError

_CLAUSE = re.compile(r"(?<=[,.;:!?，。；：！？、])\s*")


@dataclass(frozen=True, slots=True)
class Probe:
    """The log-likelihood of ``target`` after ``prefix``."""

    prefix: str
    target: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """log p(first) − log p(second), divided by the number of tokens of the first target. With ``pairs`` of several
    the mean is taken. No pairs: there is nothing to compare and the value is 0."""

    pairs: tuple[tuple[Probe, Probe], ...]

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(probe for pair in self.pairs for probe in pair)


@dataclass(frozen=True, slots=True)
class View:
    """One request as the contrasts see it: the organisers' side and the judged reply. Earlier replies are left out:
    they are the team's words, and none of the contrasts needs them."""

    emotions: tuple[str, ...]
    users: tuple[str, ...]
    reply: str
    neutral: str
    texts: Mapping[str, Any]

    @classmethod
    def of(cls, request: JudgeRequest, reply: str, neutral: str, texts: Mapping[str, Any], *, asks_last: bool) -> View:
        """``asks_last``: the last turn only asks the question, so it is no part of what happened."""
        turns = request.context[:-1] if asks_last and len(request.context) > 1 else request.context
        return cls(tuple(turn.emotion for turn in turns), tuple(turn.user for turn in turns), reply, neutral, texts)

    @property
    def target(self) -> str:
        return str(self.texts["gap"]) + self.reply

    def word(self, emotion: str) -> str:
        """The emotion in the language of the dialogue; a label without a translation stands for itself."""
        return str(
            self.texts["emotions"].get(emotion.strip().lower(), emotion.strip() or self.texts["emotions"]["none"])
        )

    def words(self, emotions: Sequence[str]) -> str:
        """Emotions one after the other, in the language of the dialogue."""
        return str(self.texts["then"]).join(self.word(emotion) for emotion in emotions)

    def story(self, users: Sequence[str], cue: str) -> str:
        """What the user said, and the words that ask for the reply."""
        turns = "".join(str(self.texts["turn"]).replace("{{user}}", user) for user in users)
        return turns + str(self.texts[cue])

    def heard(self, reply: str, cue: str) -> str:
        """A reply, and the words that ask what it was a reply to."""
        return str(self.texts["answer"]).replace("{{reply}}", reply) + str(self.texts[cue])

    @property
    def nothing(self) -> str:
        """A story that says nothing of this dialogue; the same for all."""
        return self.story([self.texts["greeting"]], "reply")


def emotion_path(view: View) -> Contrast:
    """The true course of emotions after the reply against after an empty phrase: could one name it from the reply?"""
    target = str(view.texts["gap"]) + view.words(view.emotions)
    told, untold = view.heard(view.reply, "felt"), view.heard(view.texts["phrase"], "felt")
    return Contrast(((Probe(told, target), Probe(untold, target)),))


def events(view: View) -> Contrast:
    """The reply after what happened against the reply after a greeting: does it speak of these events?"""
    return _same(view, view.story(view.users, "reply"), view.nothing)


def recall(view: View) -> Contrast:
    """What the user said after the reply against after an empty phrase: could one guess the story from the reply?"""
    return _recalled(view, view.users)


def earlier_recall(view: View) -> Contrast:
    """As recall, for the turns before the last: does the reply reach back?"""
    return _recalled(view, view.users[:-1] or view.users)


def cause(view: View) -> Contrast:
    """The reply as the deeper reason of what happened against the same words as a remark on nothing."""
    return _same(view, view.story(view.users, "cause"), view.story([view.texts["greeting"]], "remark"))


def order(view: View) -> Contrast:
    """The reply against its own clauses in reverse, as the reason of what happened: does each clause follow from the
    one before? One clause has no order."""
    clauses = [clause for clause in _CLAUSE.split(view.reply) if clause]
    if len(clauses) < 2:
        return Contrast(())
    gap = str(view.texts["gap"])
    told = view.story(view.users, "cause")
    return Contrast(((Probe(told, view.target), Probe(told, gap + gap.join(reversed(clauses)))),))


def fluency(view: View) -> Contrast:
    """The reply against its own words in reverse, after a greeting: is it put together as language is? A word is what
    blanks part, in writing without blanks a character."""
    words = view.reply.split() if str(view.texts["gap"]) else list("".join(view.reply.split()))
    if len(words) < 2:
        return Contrast(())
    gap = str(view.texts["gap"])
    return Contrast(((Probe(view.nothing, view.target), Probe(view.nothing, gap + gap.join(reversed(words)))),))


def conversation(view: View) -> Contrast:
    """Both ways: the reply from the story and the story from the reply."""
    return Contrast(events(view).pairs + recall(view).pairs)


def _recalled(view: View, users: Sequence[str]) -> Contrast:
    told, untold = view.heard(view.reply, "said"), view.heard(view.texts["phrase"], "said")
    return Contrast(tuple((Probe(told, user), Probe(untold, user)) for user in users if user))


def _same(view: View, first: str, second: str) -> Contrast:
    return Contrast(((Probe(first, view.target), Probe(second, view.target)),))


CONTRASTS: dict[str, Callable[[View], Contrast]] = {
    "emotion_path": emotion_path,
    "events": events,
    "recall": recall,
    "earlier_recall": earlier_recall,
    "cause": cause,
    "order": order,
    "conversation": conversation,
    "fluency": fluency,
}


def contrast_for(name: str) -> Callable[[View], Contrast]:
    """Raises UsageError (E_CONFIG) for a name that is not in the table."""
    try:
        return CONTRASTS[name]
    except KeyError as error:
        raise UsageError(
            f"there is no contrast {name!r}",
            code="E_CONFIG",
            hint=f"correct the judge's settings in the challenge spec; there are: {', '.join(CONTRASTS)}",
        ) from error


def mark_of(value: float, thresholds: Sequence[float], scale: Sequence[int]) -> int:
    """The mark: one step up the scale for every threshold that ``value`` reaches.

    Raises UsageError (E_CONFIG) when there is not one threshold between every two marks.
    """
    if len(thresholds) != len(scale) - 1 or list(thresholds) != sorted(thresholds):
        raise UsageError(
            f"{len(thresholds)} thresholds do not part {len(scale)} marks",
            code="E_CONFIG",
            hint="the settings of the judge need one rising threshold between every two marks of the scale",
        )
    return scale[sum(value >= threshold for threshold in thresholds)]
