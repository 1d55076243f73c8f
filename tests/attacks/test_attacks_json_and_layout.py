"""Sections B and D of threats.toml."""

from __future__ import annotations

from attack_test import attacks_of

test_attack = attacks_of("B", "D", "E", "F")
