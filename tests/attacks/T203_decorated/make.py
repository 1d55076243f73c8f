"""A good reply in bold, as a list, with emoji."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        good = GOOD[language]
        put(subjects, f"{language}_bold", said(language, f"**{good}**"))
        put(subjects, f"{language}_list", said(language, f"# 1\n- {good}\n- *{good}*"))
        put(subjects, f"{language}_emoji", said(language, f"❤\ufe0f {good} 🙏🏽💔"))
