"""The HumDial evaluation harness: validate, run with no network, judge, score and rank."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
