"""A team's reply on its way into a prompt: nothing in it may read as one of the model's own marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Nearly every special token of the models in use is written <…>. A visible space inside the brackets leaves the words
# for a reader and takes the meaning from a tokenizer; whatever is inside, so that no list of tokens has to be complete.
_OPENING = re.compile(r"<(?=\S)")
_CLOSING = re.compile(r"(?<=\S)>")
# The rest are written [NAME], as [INST] or [MASK]; a tag of speech such as [sigh] is lower case and stays.
_NAMED = re.compile(r"\[(?=/?[A-Za-z]?[A-Z]+\])")
_SPLIT = "·"


def neutral_text(reply: str, tokens: Iterable[str] = ()) -> str:
    """The reply in NFC with `<x>` as `< x >` and `[INST]` as `[ INST]`. Idempotent; other text is returned as it is.

    ``tokens`` are those of the pinned tokenizer (tokens.special_tokens): any that the two rules leave whole gets a
    middle dot after its first character.
    """
    text = _open(unicodedata.normalize("NFC", reply))
    stubborn = [token for token in tokens if len(token) > 1 and not token.isspace() and token in _open(token)]
    while any(token in text for token in stubborn):  # opening one may lay bare another
        for token in stubborn:
            text = text.replace(token, f"{token[0]}{_SPLIT}{token[1:]}")
    return text


def _open(text: str) -> str:
    return _CLOSING.sub(" >", _OPENING.sub("< ", _NAMED.sub("[ ", text)))
