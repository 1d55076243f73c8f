"""The rating page: one HTML file a language, which loads nothing but, if asked so, the replies' audio beside it."""

from __future__ import annotations

import base64
import json
from typing import Any

from harness.challenge.spec import Challenge
from harness.documents.codec import digest
from harness.documents.rating_page import RatingItem, RatingPage
from harness.documents.ratings import COLUMNS
from harness.reporting.hostile_text import for_json, visible
from harness.reporting.rating_words import DIMENSIONS, EMOTIONS, WORDS
from harness.reporting.report import TEMPLATES, content_policy, environment

_LONGEST_TEXT = 4000
AUDIO = "audio"


def render_rating_page(page: RatingPage, challenge: Challenge, *, beside: bool) -> bytes:
    """``page`` as UTF-8 HTML; the same page gives the same bytes. With ``beside`` the audio is not in it but expected
    where `audio_files` names it.

    What teams wrote reaches the page as JSON text whose every steering character and every "<" is escaped, and is put
    into it as text. Raises UsageError (E_USAGE) when jinja2 is not installed.
    """
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("rating.css", "rating.js"))
    template = environment().get_template("rating.html.j2")
    return template.render(
        title=challenge.title,
        language=page.language,
        data=_for_script(_data(page, challenge, beside=beside)),
        style=style,
        script=script,
        policy_csp=content_policy(style, script, "media-src file: 'self'" if beside else "media-src data:"),
    ).encode()


def audio_files(page: RatingPage) -> dict[str, bytes]:
    """Paths relative to the page, to what must lie there."""
    return {_file(item): item.audio for item in page.items}


def _file(item: RatingItem) -> str:
    return f"{AUDIO}/{item.id}.flac"


def _data(page: RatingPage, challenge: Challenge, *, beside: bool) -> dict[str, Any]:
    items = [
        {
            "id": item.id,
            "dimensions": item.dimensions,
            "turns": [
                {"user": _line(t.user), "emotion": _line(t.emotion), "reply": _line(t.reply)} for t in item.turns
            ],
            "audio": _file(item) if beside else "data:audio/flac;base64," + base64.b64encode(item.audio).decode(),
        }
        for item in page.items
    ]
    dimensions = {
        name: {
            "scale": challenge.tasks[name.partition(".")[0]].scale,
            "words": DIMENSIONS.get(name.partition(".")[2]) or _plain_words(name),
        }
        for name in dict.fromkeys(name for item in page.items for name in item.dimensions)
    }
    return {
        "page": digest([page.order, [item.id for item in page.items]])[7:23],
        "order": page.order,
        "language": page.language,
        "columns": COLUMNS,
        "dimensions": dimensions,
        "words": WORDS,
        "emotions": EMOTIONS,
        "items": items,
    }


def _plain_words(name: str) -> dict[str, dict[str, Any]]:
    """A dimension that we have no words for goes by its own name."""
    plain = {"name": name.partition(".")[2].replace("_", " "), "marks": {}}
    return dict.fromkeys(WORDS, plain)


def _line(text: str) -> str:
    return visible(" ".join(text.split()), _LONGEST_TEXT)


def _for_script(plain: Any) -> str:
    """JSON that a script element can hold: no "<" can end it or begin a comment."""
    text = for_json(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
