"""Which architectures of a study can keep which budgets: each is counted by its own layer table.

An allocation that costs the least in one metric costs the least in all, so an architecture can keep a set of
limits if and only if its least allocation keeps each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.allocation import Bounds
from models.cost import Limit, limit_cost, within
from models.repair import least_allocation
from search.architecture import Chosen
from search.strategy import StudyContext

LeastCosts = Mapping[Chosen, float]


def least_costs(context: StudyContext, bounds: Bounds) -> LeastCosts:
    """The least cost, in the budget's metric, of every architecture that can keep the constraints.

    The only one there is counts in any case: fitting says what it cannot keep.
    """
    least = {chosen: least_allocation(layers, bounds) for chosen, layers in context.architectures.items()}
    return {
        chosen: limit_cost(context.budgets[0], layers, least[chosen])
        for chosen, layers in context.architectures.items()
        if not context.tables or within(context.constraints, layers, least[chosen])
    }


def feasible(costs: LeastCosts, budget: Limit) -> list[Chosen]:
    """The architectures that can keep a budget, in order; the only one there is in any case."""
    if len(costs) == 1:
        return list(costs)
    return [chosen for chosen, least in costs.items() if least <= budget.maximum]
