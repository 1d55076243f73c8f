"""Finals, ranks and the table: pure and exact."""

from harness.ranking.table import leaderboard

__all__ = ["leaderboard"]
