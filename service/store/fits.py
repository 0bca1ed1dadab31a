"""What a fit is answered from: the points of a job with their costs by some limits, and its layer tables.

A cost that an earlier version did not store is computed from the stored layer table and bits, with the
hardware and the table of the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from models.cost import Limit
from models.errors import UnknownNameError
from search.fit_next import Tables
from search.job import JobSpec
from service.store.fronts import cost_column
from service.store.layer_costs import computed_costs, stored_layers, whole_table
from service.store.limits import metric_scope
from service.store.tables import Point, Trial
from service.store.transaction import Repository
from service.views import JobState


class FitRow(NamedTuple):
    """A point, and what it costs by each limit, in their order."""

    id: str
    trial_id: str
    method: str
    seed: int
    score: float
    test_score: float
    validation_accuracy: float
    test_accuracy: float
    feasible: bool
    costs: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FitSource:
    """A job, the limits as it computes them, and its points by place.

    `tables` is empty where the plan does not tell every layer; `left_out` counts points without a cost.
    """

    spec: JobSpec
    state: JobState
    limits: tuple[Limit, ...]
    tables: Tables
    rows: tuple[FitRow, ...]
    left_out: int


class FitRepository(Repository):
    """Reads the points of a job by their costs."""

    def source(self, job_id: str, maxima: Mapping[str, float]) -> FitSource:
        """The points of a job by some metrics, each with its greatest value.

        Raises NotFoundError, or UnknownNameError for `table` in a job without one.
        """
        job = self._require_job(job_id, with_plan=True)
        spec = JobSpec.model_validate(job.spec)
        limits = tuple(_limit(spec, metric, maximum) for metric, maximum in maxima.items())
        found, lacking = self._stored(job_id, spec, limits)
        for id_, costs in self._computed(job_id, spec, job.plan, limits).items() if lacking else ():
            found[id_] = found[id_]._replace(costs=costs)
        rows = tuple(row for row in found.values() if None not in row.costs)
        return FitSource(
            spec=spec,
            state=job.state,  # type: ignore[arg-type]  # the column holds nothing else
            limits=limits,
            tables=_tables(spec, job.plan),
            rows=rows,
            left_out=len(found) - len(rows),
        )

    def _stored(self, job_id: str, spec: JobSpec, limits: Sequence[Limit]) -> tuple[dict[str, Any], bool]:
        """Every point by id, in their order, with its stored costs; and whether one of those is missing."""
        costs = [cost_column(spec, limit.metric) for limit in limits]
        names = (Point.id, Point.trial_id, Point.method, Point.seed, Point.score, Point.test_score)
        others = (Point.validation_accuracy, Point.test_accuracy, Point.feasible)
        query = select(*names, *others, *costs).where(Point.job_id == job_id).order_by(Point.place)
        width = len(names) + len(others)
        rows = [FitRow._make([*row[:width], tuple(row[width:])]) for row in self._session.execute(query)]
        return {row.id: row for row in rows}, any(None in row.costs for row in rows)

    def _computed(
        self, job_id: str, spec: JobSpec, plan: Mapping[str, Any], limits: Sequence[Limit]
    ) -> dict[str, tuple[float | None, ...]]:
        """The costs of the points that lack one, computed; None where that cannot be done."""
        lacking = or_(*(cost_column(spec, limit.metric).is_(None) for limit in limits))
        query = (
            select(Point.id, Point.costs, Point.allocation, Point.rates, Trial.proposal)
            .join(Trial, Trial.id == Point.trial_id)
            .where(Point.job_id == job_id, lacking)
        )
        found: dict[str, tuple[float | None, ...]] = {}
        for id_, stored, allocation, rates, proposal in self._session.execute(query):
            computed = computed_costs(spec, plan, allocation, proposal.get("settings", {}), rates)
            found[id_] = tuple(_known(stored, computed, limit) for limit in limits)
        return found


def _limit(spec: JobSpec, metric: str, maximum: float) -> Limit:
    if metric == "table" and spec.cost_table is None:
        raise UnknownNameError(
            "the job has no cost table, so no point has a cost by one.",
            fix=f"Use {', '.join(spec.metrics())}, or submit the job with a cost_table.",
        )
    return spec.limit(metric, maximum, metric_scope(spec, metric))


def _known(stored: Mapping[str, Any], computed: Mapping[Any, Any], limit: Limit) -> float | None:
    """A cost as it was stored, else as it is computed now."""
    for costs in (stored, computed):
        value = costs.get(limit.scope, {}).get(limit.metric)
        if value is not None:
            return float(value)
    return None


def _tables(spec: JobSpec, plan: Mapping[str, Any]) -> Tables:
    chosen = spec.architectures()
    if not all(whole_table(plan, dict(one)) for one in chosen):
        return {}
    return {one: stored_layers(plan, dict(one)) for one in chosen}
