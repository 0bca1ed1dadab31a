"""Keep the narrow rows of points and the bounds of metrics, in the transaction that stores a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.allocation import Allocation
from models.cost import layer_loads, mean_bits
from search.job import JobSpec
from service.store.layer_costs import stored_layers
from service.store.limits import known_metrics, metric_cost
from service.store.tables import FrontExtent, Job, Point, PointSummary
from service.store.tables.clouds import COST_COLUMNS

BITS = ("mean_weight_bits", "mean_spike_bits", "mean_steps")


def add_summary(session: Session, spec: JobSpec, point: Point, settings: Mapping[str, Any]) -> None:
    """Store the narrow row of a new point, whose architecture has these chosen settings."""
    costs = {metric: metric_cost(spec, metric, point.costs) for metric in known_metrics(spec, point.costs)}
    plan = session.scalars(select(Job.plan).where(Job.id == point.job_id)).one()
    session.add(
        PointSummary(
            job_id=point.job_id,
            place=point.place,
            point_id=point.id,
            trial_id=point.trial_id,
            method=point.method,
            seed=point.seed,
            feasible=point.feasible,
            score=point.score,
            test_score=point.test_score,
            created_at=point.created_at,
            **dict(zip(BITS, point_mean_bits(plan, settings, point.allocation), strict=True)),
            **{COST_COLUMNS[metric]: cost for metric, cost in costs.items()},
        )
    )
    _widen(session, point, costs)


def point_mean_bits(
    plan: Mapping[str, Any], settings: Mapping[str, Any], allocation: Mapping[str, Any]
) -> tuple[float | None, float | None, float | None]:
    """Mean Bw, Bs and T of the searched layers; None each where the plan does not have the point's layers."""
    layers = [layer for layer in stored_layers(plan, settings) if layer.fixed is None]
    if not layers or {layer.name for layer in layers} != set(allocation):
        return None, None, None
    loads = layer_loads(layers, Allocation.from_json(allocation), "searched")
    weight, spike, steps = mean_bits(loads)
    return float(weight), float(spike), float(steps)


def _widen(session: Session, point: Point, costs: Mapping[str, float]) -> None:
    """Count the point, and stretch the bounds to it where it is feasible."""
    query = select(FrontExtent).where(FrontExtent.job_id == point.job_id)
    known = {extent.metric: extent for extent in session.scalars(query)}
    for metric, cost in costs.items():
        extent = known.get(metric)
        if extent is None:
            extent = FrontExtent(job_id=point.job_id, metric=metric, points=0, greatest=0.0)
            session.add(extent)
        extent.points += 1
        extent.greatest = max(extent.greatest, cost if point.feasible else 0.0)
