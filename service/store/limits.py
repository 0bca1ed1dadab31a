"""What a job's limits say about the costs of a point."""

from __future__ import annotations

from collections.abc import Mapping

from models.cost import Limit, Scope, default_scope
from models.errors import UnknownNameError
from search.job import JobSpec

Costs = Mapping[str, Mapping[str, float]]
"""{scope: {metric: value}}"""


def metric_scope(spec: JobSpec, metric: str) -> Scope:
    """The scope in which a job shows a metric: that of its budget for the budget's metric, else the default.

    Raises UnknownNameError for a metric that cannot bound a search of this job.
    """
    if metric not in spec.metrics():
        raise UnknownNameError(
            f"there is no front by {metric!r}.", fix=f"Use one of {', '.join(spec.metrics())}."
        )
    chosen = spec.budget.scope if metric == spec.budget.metric else None
    return chosen or default_scope(metric)


def metric_cost(spec: JobSpec, metric: str, costs: Costs) -> float:
    """The cost of a point by a metric, as its job shows it."""
    return costs[metric_scope(spec, metric)][metric]


def known_metrics(spec: JobSpec, costs: Costs) -> list[str]:
    """The metrics of a job that a point has a cost by: an earlier version knew fewer."""
    return [metric for metric in spec.metrics() if metric in costs[metric_scope(spec, metric)]]


def is_feasible(spec: JobSpec, costs: Costs) -> bool:
    """Whether a point keeps every constraint and the greatest budget of a job."""
    return all(_keeps(limit, costs) for limit in (*spec.constraint_limits(), spec.budgets()[-1]))


def _keeps(limit: Limit, costs: Costs) -> bool:
    return costs[limit.scope][limit.metric] <= limit.maximum
