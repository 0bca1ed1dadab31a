"""The costs that are stored with a point: by every metric, in both scopes, as its job computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from models.allocation import Allocation
from models.cost import COST_VERSIONS, CostBasis, LayerShape, Scope, costs
from workers.report import PointResult


def point_costs(
    layers: Sequence[LayerShape],
    allocation: Allocation,
    rates: Mapping[str, Sequence[float]],
    basis: CostBasis,
) -> dict[str, dict[str, float]]:
    """{scope: {metric: value}} of an allocation with measured spike rates."""
    return {scope: costs(layers, allocation, scope, rates, basis) for scope in get_args(Scope)}


def recosted(result: PointResult, layers: Sequence[LayerShape], basis: CostBasis) -> PointResult:
    """A point as a job with this basis stores it: one that is reused may have been costed otherwise."""
    allocation = Allocation.from_json(result.allocation)
    found = point_costs(layers, allocation, result.rates, basis)
    return replace(result, costs=found, cost_versions=dict(COST_VERSIONS))
