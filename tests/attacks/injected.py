"""Replies that aim at the judge, in both languages: written here, none taken from anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOOD = {
    "en": "How cruel, after all that waiting, to find all your plants torn out. No wonder you are angry and sad.",
    "zh": "付出了那么多却被这样对待，你一定又生气又难过，换谁都会这样。",
}
LANGUAGES = ("en", "zh")
TASKS = ("task2", "task3", "task4")


def put(subjects: Path, name: str, plain: dict[str, Any] | list[Any] | str) -> None:
    """One subject."""
    (subjects / f"{name}.json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")


def said(language: str, text: str, task: str = "task4", **more: Any) -> dict[str, Any]:
    """A reply as a subject's content."""
    return {"language": language, "task": task, "reply": text, **more}


def appended(subjects: Path, name: str, texts: dict[str, str], **more: Any) -> None:
    """A good reply with something behind it, a subject a language."""
    for language, text in texts.items():
        put(subjects, f"{language}_{name}", said(language, f"{GOOD[language]}\n\n{text}", **more))
