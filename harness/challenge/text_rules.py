"""What is wrong with a reply's text before anybody judges it. Pure; the numbers come from the spec's [text] table.

The language of a reply is measured as the share of Han characters among Han characters plus Latin words, as the
challenge facts recommend; it needs no model and is right on short replies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.challenge.spec import TextRules

TextFault = Literal["empty", "language_mismatch", "too_short", "echo"]

_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+(?:['\u2019-][A-Za-z\u00c0-\u024f]+)*")
_LETTER = re.compile(r"[^\W\d_]")
_NO_LETTERS = re.compile(r"[\W_]+")
# What stands for "no answer": nothing, dots and dashes, or a word that programs write for a missing value.
_PLACEHOLDER = re.compile(r"(?:\.{2,}|[\s\u2026\u2025\u22ef\u3002\u2014\u2013_-])*|n/?a|none|null|nan", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextMeasure:
    """``han`` characters, ``words`` in Latin letters, and ``other`` letters of any other script."""

    han: int
    words: int
    other: int

    @property
    def han_share(self) -> Fraction | None:
        """Han / (Han + Latin words); None when there is neither."""
        total = self.han + self.words
        return Fraction(self.han, total) if total else None


def measure(text: str) -> TextMeasure:
    """Count what the rules look at."""
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    rest = _LATIN_WORD.sub(" ", _HAN.sub(" ", text))
    return TextMeasure(han, words, len(_LETTER.findall(rest)))


def is_empty(text: str | None) -> bool:
    """Nothing was said: no text, only blanks, dots or dashes, or a placeholder such as "N/A"."""
    return text is None or _PLACEHOLDER.fullmatch(text.strip()) is not None


def text_fault(text: str | None, user_text: str | None, language: str, rules: TextRules) -> TextFault | None:
    """The fault that floors a reply's text dimensions, or None.

    ``text`` is the reply in canonical form, ``user_text`` what the user said in that turn (None or blank: no echo is
    looked for), ``language`` the language of the dialogue. The first of: empty, too_short (fewer Han characters than
    ``min_han`` and fewer other words than ``min_words``), echo, language_mismatch.
    """
    if text is None or is_empty(text):
        return "empty"
    found = measure(text)
    foreign = found.other > found.han + found.words
    if not foreign and found.han < rules.min_han and found.words < rules.min_words:
        return "too_short"
    if _echoes(text, user_text or "", rules.echo_similarity):
        return "echo"
    if foreign or not _speaks(found, language, rules):
        return "language_mismatch"
    return None


def _speaks(found: TextMeasure, language: str, rules: TextRules) -> bool:
    share = found.han_share
    if share is None:
        return False
    return share >= rules.han_share if language == rules.han_language else share < rules.han_share


def _echoes(text: str, user_text: str, percent: int) -> bool:
    """Whether the reply repeats the user's words: edit similarity without case, blanks and punctuation."""
    user = _letters(user_text)
    reply = _letters(text) if user else ""
    if not reply:
        return False
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(reply, user) * 100 >= percent


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())
