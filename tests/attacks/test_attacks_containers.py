"""Sections D, E and F of threats.toml, as far as containers run."""

from __future__ import annotations

from attack_test import attacks_of

test_attack = attacks_of("D", "E", "F", on_engine=True)
