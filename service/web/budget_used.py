"""How much of its budget a point uses: its cost over the least budget that it was meant for and keeps.

A point of a descent was meant for each budget of that; one whose proposal names none, for those of its job.
"""

from __future__ import annotations

from dataclasses import dataclass

from search.job import JobSpec
from service.views import PointView


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetUsed:
    """A share (0 to 1) of a maximum of a metric."""

    share: float
    metric: str
    maximum: float


def budget_used(point: PointView) -> BudgetUsed | None:
    """None for a point that is above every budget that it was meant for."""
    budgets = JobSpec.model_validate(point.spec).budgets()
    metric, cost = budgets[0].metric, point.costs[budgets[0].scope][budgets[0].metric]
    note = point.proposal.get("note", {})
    meant = note.get("budgets") or [note.get("budget")]
    maxima = [one for one in meant if one is not None] or [budget.maximum for budget in budgets]
    kept = min((maximum for maximum in maxima if cost <= maximum), default=None)
    return None if kept is None else BudgetUsed(share=cost / kept, metric=metric, maximum=kept)
