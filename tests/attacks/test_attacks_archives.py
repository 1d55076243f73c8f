"""Section A of threats.toml."""

from __future__ import annotations

from attack_test import attacks_of

test_attack = attacks_of("A")
