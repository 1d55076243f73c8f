"""A team's reply on its way into a prompt: nothing in it may read as one of the model's own marks."""

from __future__ import annotations

import re

# Every special token of the models in use is written <…>. A visible space inside the brackets leaves the words for a
# reader and takes the meaning from a tokenizer; whatever is inside, so that no list of tokens has to be complete.
_OPENING = re.compile(r"<(?=\S)")
_CLOSING = re.compile(r"(?<=\S)>")


def neutral_text(reply: str) -> str:
    """The reply with `<x>` as `< x >`. Idempotent; text without angle brackets is returned as it is."""
    return _CLOSING.sub(" >", _OPENING.sub("< ", reply))
