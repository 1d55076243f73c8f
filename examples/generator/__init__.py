"""Composes challenge-shaped data: dialogues out of hand-written situations, spoken by a synthesiser, seeded."""
