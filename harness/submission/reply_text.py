"""A reply's text in the one form that everything after validation sees."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from harness.challenge.spec import TextRules
from harness.submission.readers.refusal import Refusal

_SPECIAL = re.compile("[^\n\t -~\u3000-\u3029\u4e00-\u9fff\uff01-\uff5e\u2010-\u2027]")  # anything else is looked at
_SEPARATORS = str.maketrans("\u2028\u2029", "  ")
_ZWJ, _TEXT_STYLE, _EMOJI_STYLE = "\u200d", "\ufe0e", "\ufe0f"
# Letters that show as nothing: Hangul fillers, the Khmer inherent vowels, the braille blank, the combining joiner.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\u034f")
_KEYCAPS = frozenset("0123456789#*")
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Co", "Cn", "Cs"})
_PICTURES = frozenset({"So", "Sk", "Sm", "Po"})


@dataclass(frozen=True, slots=True)
class CanonicalText:
    """``text`` after canonicalisation; ``problems`` are codes with the values of their messages."""

    text: str
    problems: tuple[Refusal, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The codes for a person's review (F_*)."""
        return tuple(problem.code for problem in self.problems if problem.code.startswith("F_"))


def canonical_text(text: str, rules: TextRules) -> CanonicalText:
    """NFC, line feeds only, no control and no invisible characters; emoji keep their joiners. Applying it twice
    changes nothing more.

    Problems: E_TEXT_CTRL, E_TEXT_COMBINING, E_TEXT_LEN, E_TEXT_TOKENS, W_TEXT_NEWLINE, W_TEXT_SEPARATOR,
    W_TEXT_INVISIBLE, F_INVISIBLE. Never NFKC: full-width look-alikes of markup must stay what they are.
    """
    problems: list[Refusal] = []
    if len(text) > rules.max_chars * 4:  # far beyond the cap: nothing below needs to look at all of it
        return CanonicalText("", (Refusal("E_TEXT_LEN", count=len(text), limit=rules.max_chars),))
    clean = text if _SPECIAL.search(text) is None else _clean(text, problems, rules)
    if len(clean) > rules.max_chars:
        problems.append(Refusal("E_TEXT_LEN", count=len(clean), limit=rules.max_chars))
    elif (size := len(clean.encode())) > rules.max_bytes:
        problems.append(Refusal("E_TEXT_TOKENS", count=size, limit=rules.max_bytes))
    return CanonicalText(clean, tuple(problems))


def _clean(text: str, problems: list[Refusal], rules: TextRules) -> str:
    if "\r" in text:
        problems.append(Refusal("W_TEXT_NEWLINE"))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\u2028" in text or "\u2029" in text:
        problems.append(Refusal("W_TEXT_SEPARATOR"))
        text = text.translate(_SEPARATORS)
    visible, removed = _without_invisible(unicodedata.normalize("NFC", text), problems)
    clean = unicodedata.normalize("NFC", visible)
    if removed:
        problems.append(Refusal("W_TEXT_INVISIBLE", count=removed))
    if removed > rules.invisible_flag:
        problems.append(Refusal("F_INVISIBLE", count=removed))
    if _stacks(clean) > rules.max_combining:
        problems.append(Refusal("E_TEXT_COMBINING", limit=rules.max_combining))
    return clean


def _without_invisible(text: str, problems: list[Refusal]) -> tuple[str, int]:
    out: list[str] = []
    controls: list[str] = []
    removed = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "Cc" and character not in "\t\n":
            controls.append(character)
        elif _is_invisible(character, category) and not _joins(character, out, text[place + 1 : place + 2]):
            removed += 1
        else:
            out.append(character)
    if controls:
        problems.append(Refusal("E_TEXT_CTRL", name=f"U+{ord(controls[0]):04X}"))
    return "".join(out), removed


def _is_invisible(character: str, category: str) -> bool:
    number = ord(character)
    selector = 0xFE00 <= number <= 0xFE0F or 0xE0100 <= number <= 0xE01EF
    return category in _INVISIBLE_CATEGORIES or character in _BLANK_LETTERS or selector


def _joins(character: str, before: list[str], after: str) -> bool:
    """Whether an otherwise invisible character belongs to an emoji: ♥ + style, 👩 + joiner + 🚀, 1 + style + keycap."""
    last = before[-1] if before else ""
    if character in (_TEXT_STYLE, _EMOJI_STYLE):
        return bool(last) and (last in _KEYCAPS or unicodedata.category(last) in _PICTURES)
    if character == _ZWJ:
        pictured = last == _EMOJI_STYLE or (bool(last) and unicodedata.category(last) in ("So", "Sk"))
        return pictured and bool(after) and unicodedata.category(after) == "So"
    return False


def _stacks(text: str) -> int:
    """The longest run of combining marks on one base character."""
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        longest = max(longest, run)
    return longest
