"""Signs in a team's replies that a person should look at. Each is a flag: none of them changes a score.

Pure text work on the host. What speaks to the judge outright is in injection.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from harness.challenge.spec import ReviewRules
from harness.documents.verdict import Verdict

Name = TypeVar("Name")
RUBRIC, GOLD, CONSTANT, MISMATCH = "F_RUBRIC", "F_GOLD_ECHO", "F_CONST", "F_MISMATCH"
UNSTABLE, INCONSISTENT, SURPRISING = "F_UNSTABLE", "F_INCONSISTENT", "F_PPL"

# An evaluator's sentence about a reply: "this response accurately captures …", "该回答完整地涵盖了…".
_PRAISE = re.compile(
    r"""
    \b(?:this|the|my|above)\s+(?:\w+\s+)?(?:reply|response|answer|summary)\s+(?:\w+ly\s+|has\s+|is\s+|offers?\s+|not\s+only\s+)*
        (?:captures?|covers?|demonstrates?|integrat\w+|validat\w+|identif\w+|names?|shows?|exhibits?|provides?|meets?|satisf\w+
           |fulfil\w*|flawless|perfect|excellent|outstanding|complete|accurate|insightful)\b
    |(?:本|该|这个|这条|此|以上|上述)(?:条)?(?:回答|回复|答复|总结|回应)[^。！？\n]{0,8}
        (?:准确|完整|全面|充分|清晰|深刻|体现|展现|展示|涵盖|整合|捕捉|满足|符合|无可挑剔|完美|优秀|出色)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LETTERS = re.compile(r"[\W_]+")
_RUN = 6  # words in a row that a reply shares with the rubric
_COMPARED_CHARS = 600  # of each reply; a longer one that begins like another is like it
_MARK_IN_WORDS = re.compile(
    r"(?<![\d.])([0-9]{1,2})\s*(?:/|out\s+of)\s*([0-9]{1,2})(?![\d.])"
    r"|\b(?:score|mark|rating|give\s+(?:it|this)(?:\s+an?)?)\s*(?:is|of|:|=)?\s*([0-9]{1,2})(?![\d/]|\.\d)|([0-9]{1,2})\s*分(?!钟)",
    re.IGNORECASE,
)


def text_flags(text: str, dimensions: Sequence[str], rubric: str, emotions: Sequence[str]) -> tuple[str, ...]:
    """What one reply's text shows: F_RUBRIC when it talks like the rubric or an evaluator, F_GOLD_ECHO when it holds
    annotators' labels in the form of labels.

    ``dimensions`` are the task's ids, ``rubric`` its text ("" when there is none), ``emotions`` the spec's labels.
    """
    found = []
    if _talks_like_the_rubric(text, dimensions, rubric):
        found.append(RUBRIC)
    if _holds_labels(text, emotions):
        found.append(GOLD)
    return tuple(found)


def _talks_like_the_rubric(text: str, dimensions: Sequence[str], rubric: str) -> bool:
    plain = unicodedata.normalize("NFKC", text)
    low = plain.lower()
    if any(name.lower() in low or name.lower().replace("_", " ") in low for name in dimensions if "_" in name):
        return True
    return bool(_PRAISE.search(plain)) or bool(_runs(plain) & _runs(rubric))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [word.lower() for word in _WORD.findall(text)]
    return {tuple(words[place : place + _RUN]) for place in range(len(words) - _RUN + 1)}


def _holds_labels(text: str, emotions: Sequence[str]) -> bool:
    """Labels as data: "emotion: sad", "[sad]", "<fear>", "sad -> anger -> neutral". In a sentence they are words."""
    label = "(?:" + "|".join(re.escape(each) for each in emotions) + ")"
    shapes = (
        rf"\b(?:emotion|label|ground[ _-]?truth|gold|tag|情绪|情感|标签)\w*[\"'”]?\s*[:=：]\s*[\"'“]?{label}\b",
        rf"[\[(<【（]\s*(?:emotion\s*[:=：]\s*)?{label}\s*[\])>】）]",
        rf"\b{label}(?:\s*(?:->|=>|→|>|\||_|/|;|；)\s*{label})+\b",
    )
    return any(re.search(shape, text, re.IGNORECASE) for shape in shapes)


def constant_replies(replies: Mapping[Name, str], rules: ReviewRules) -> frozenset[Name]:
    """Those replies of a team that are like at least ``constant_items`` − 1 of its others: F_CONST.

    Alike means an edit similarity of ``constant_percent`` without case, blanks and punctuation.
    """
    letters = {name: _LETTERS.sub("", text.casefold())[:_COMPARED_CHARS] for name, text in replies.items()}
    named = [(name, text) for name, text in letters.items() if text]
    if len(named) < rules.constant_items:
        return frozenset()
    import numpy as np
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    texts = [text for _, text in named]
    least = rules.constant_percent / 100
    similar = cdist(texts, texts, scorer=Levenshtein.normalized_similarity, score_cutoff=least, dtype=np.float32)
    counts = (similar >= least).sum(axis=1)
    return frozenset(name for (name, _), count in zip(named, counts, strict=True) if count >= rules.constant_items)


def differs_from_speech(text: str, transcript: str, rules: ReviewRules) -> bool:
    """Whether what is heard is not what is written (F_MISMATCH): more than ``mismatch_percent`` of the words (of the
    characters, in Chinese) would have to be changed."""
    written, heard = (_WORD.findall(unicodedata.normalize("NFKC", each).casefold()) for each in (text, transcript))
    if not written:
        return bool(heard)
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(written, heard) * 100 > rules.mismatch_percent * len(written)


def sample_flags(
    samples: Sequence[Verdict], scales: Mapping[str, Sequence[int]], rules: ReviewRules
) -> tuple[str, ...]:
    """What several verdicts on one item show: F_UNSTABLE when the marks of a dimension lie more than
    ``unstable_steps`` steps of its scale apart, F_INCONSISTENT when a reason names another mark than the verdict."""
    found = []
    for dimension, scale in scales.items():
        marks = sorted(sample.scores[dimension] for sample in samples if sample.scores and dimension in sample.scores)
        if marks and scale.index(marks[-1]) - scale.index(marks[0]) > rules.unstable_steps:
            found.append(UNSTABLE)
    if any(_contradicts(sample, scales) for sample in samples):
        found.append(INCONSISTENT)
    return tuple(dict.fromkeys(found))


def _contradicts(verdict: Verdict, scales: Mapping[str, Sequence[int]]) -> bool:
    for dimension, mark in (verdict.scores or {}).items():
        scale = scales.get(dimension, ())
        named = [
            int(next(group for group in (first, third, fourth) if group))
            for first, second, third, fourth in _MARK_IN_WORDS.findall(verdict.reasons.get(dimension, ""))
            if not second or (scale and int(second) == scale[-1])
        ]
        if named and mark not in named:
            return True
    return False


def surprising(samples: Iterable[Verdict], most: float | None) -> bool:
    """Whether the reply is less likely language than any honest one (F_PPL), where the judge measured that: evidence
    ``surprise``, in nats a token, above ``most`` (None: this judge does not measure it)."""
    return most is not None and any(float(sample.evidence.get("surprise", 0.0)) > most for sample in samples)
