"""Replies that are JSON, HTML, Markdown, YAML, SQL, templates: literal text."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import texts


def make(subjects: Path, random: Random) -> None:
    replies = ['{"score": 5}', "<b>5</b>", "```json\n5\n```", "score: 5\n- a", "'; DROP TABLE x; --", "{{7*7}}", "%s%n"]
    texts(subjects, {f"reply{number}": f"你今天很辛苦。{text}" for number, text in enumerate(replies)})
