"""Policies and aggregation: pure, exact, and blind to any other team."""

from harness.scoring.aggregate import evidence_summary, score_report
from harness.scoring.items import ItemPlan, Key, PlannedDialogue, plan_items, plan_unranked, score_items
from harness.scoring.recognition import recognition
from harness.scoring.unranked import judged_means

__all__ = [
    "ItemPlan",
    "Key",
    "PlannedDialogue",
    "evidence_summary",
    "judged_means",
    "plan_items",
    "plan_unranked",
    "recognition",
    "score_items",
    "score_report",
]
