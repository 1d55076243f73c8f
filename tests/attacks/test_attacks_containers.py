"""Section E of threats.toml: what a container does."""

from __future__ import annotations

from attack_test import attacks_of

test_attack = attacks_of("E", on_engine=True)
