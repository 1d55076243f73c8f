"""What a team starts with: a small repository with a participant that already works."""

from harness.kit.write import write_kit

__all__ = ["write_kit"]
