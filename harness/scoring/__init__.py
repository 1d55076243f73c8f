"""Policies and aggregation: pure, exact, and blind to any other team."""

from harness.scoring.aggregate import evidence_summary, score_report
from harness.scoring.items import ItemPlan, PlannedDialogue, plan_items, score_items
from harness.scoring.recognition import recognition

__all__ = [
    "ItemPlan",
    "PlannedDialogue",
    "evidence_summary",
    "plan_items",
    "recognition",
    "score_items",
    "score_report",
]
