"""Sections D and F of threats.toml, as far as containers run: what one leaves, and what its team is told."""

from __future__ import annotations

from attack_test import attacks_of

test_attack = attacks_of("D", "F", on_engine=True)
