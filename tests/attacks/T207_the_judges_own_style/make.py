"""Twins of one thought: as people say it, and as language models do. Whether a judge likes its own style better is
measured with a model (calibration/attacks.py has the class); here both must reach it, unflagged, in equal prompts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, TASKS, put, said

MODEL = {
    "en": "It sounds like you've been through a lot. It's completely understandable to feel this way, and your "
    "feelings are valid. First, it was joy; then, it turned to worry. Remember: you are not alone in this.",
    "zh": "听起来你经历了很多，有这样的感受完全可以理解。首先是喜悦，随后转为担忧。请记住，你并不孤单。",
}


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        for task in TASKS:
            put(subjects, f"{language}_{task}_person", said(language, GOOD[language], task=task))
            put(subjects, f"{language}_{task}_model", said(language, MODEL[language], task=task))
