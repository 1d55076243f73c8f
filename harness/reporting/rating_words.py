"""What the rating page says and asks, in the languages of `rating_words.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_ALL = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
WORDS: dict[str, dict[str, str]] = _ALL["words"]
DIMENSIONS: dict[str, dict[str, dict[str, Any]]] = _ALL["dimensions"]
EMOTIONS: dict[str, dict[str, str]] = _ALL["emotions"]
