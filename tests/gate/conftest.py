"""The repositories of repositories as fixtures."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from repositories import repository

__all__ = ["repository"]
