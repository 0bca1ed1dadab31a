"""Fronts of a job by any static cost metric, and the best point under a maximum cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select

from search.job import JobSpec
from search.pareto import hypervolume, is_on_front
from service.front_views import FrontPoint, FrontView, OverlayView
from service.store.limits import metric_scope
from service.store.overlay import overlaid
from service.store.points import PointRepository
from service.store.tables import FrontExtent, FrontMember, Point
from service.store.transaction import Repository, Transaction
from service.store.upkeep import OVERALL
from service.views import JobView, PointView

Group = dict[str, list["Row"]]
"""The rows on the front of each method, and under OVERALL those on the front over all that was asked for."""


class Row(NamedTuple):
    """A point as a front sees it."""

    place: int
    id: str
    trial_id: str
    method: str
    seed: int
    cost: float
    validation_accuracy: float
    test_accuracy: float
    validation_loss: float | None
    test_loss: float | None
    score: float
    test_score: float
    feasible: bool


class FrontRepository(Repository):
    """Reads the materialised fronts, and computes those that are not kept."""

    def __init__(self, transaction: Transaction, points: PointRepository) -> None:
        super().__init__(transaction)
        self._points = points

    def front(
        self, job_id: str, *, metric: str, method: str | None, seed: int | None, all_points: bool
    ) -> FrontView:
        """The front over the feasible points of a job, or of one method or seed of it, cheapest first.

        `all_points` adds every other point, infeasible ones too, with `on_front` false. Raises
        NotFoundError, or UnknownNameError for a metric that no front is kept for.
        """
        methods, seeds = () if method is None else (method,), () if seed is None else (seed,)
        return self._chosen_front(job_id, metric, methods, seeds, all_points=all_points)

    def _chosen_front(
        self, job_id: str, metric: str, methods: Sequence[str], seeds: Sequence[int], *, all_points: bool
    ) -> FrontView:
        spec = JobSpec.model_validate(self._require_job(job_id).spec)
        cost = cost_column(spec, metric)
        chosen = _chosen(job_id, methods, seeds)
        is_kept = not seeds and len(methods) <= 1
        fronts = self._kept(job_id, metric, *methods) if is_kept else self._computed(cost, chosen)
        front = fronts.get(OVERALL, [])
        rows = self._rows(_points(cost, chosen)) if all_points else front
        shown = _shown(job_id, rows, frozenset(row.id for row in front))
        return self._view(job_id, spec, metric, fronts, shown)

    def overlay(
        self,
        jobs: Sequence[JobView],
        *,
        metric: str,
        methods: Sequence[str] = (),
        seeds: Sequence[int] = (),
        all_points: bool,
    ) -> OverlayView:
        """The fronts of some jobs by one metric, and the front over them all; of equal points the first.

        Without `methods` or `seeds` all of them count.

        Raises InvalidInputError where the jobs count the metric differently or have other objectives.
        """
        views = [self._chosen_front(job.id, metric, methods, seeds, all_points=all_points) for job in jobs]
        return overlaid(jobs, views, metric=metric, methods=methods, seeds=seeds)

    def best(self, job_id: str, *, metric: str, maximum: float) -> PointView | None:
        """The best feasible point of a job that costs at most `maximum`. Raises as `front` does."""
        metric_scope(JobSpec.model_validate(self._require_job(job_id).spec), metric)
        point_id = self._session.scalar(
            select(FrontMember.point_id)
            .where(FrontMember.job_id == job_id, FrontMember.metric == metric)
            .where(FrontMember.method == OVERALL, FrontMember.cost <= maximum)
            .order_by(FrontMember.score.desc(), FrontMember.cost, FrontMember.place)
            .limit(1)
        )
        return None if point_id is None else self._points.get(point_id)

    def _view(
        self, job_id: str, spec: JobSpec, metric: str, fronts: Group, points: list[FrontPoint]
    ) -> FrontView:
        own = metric == spec.budget.metric
        reference = max(spec.budget.max) if own else self._greatest_cost(job_id, metric)
        return FrontView(
            job_id=job_id,
            metric=metric,
            scope=metric_scope(spec, metric),
            objective=spec.objective,
            budgets=[limit.maximum for limit in spec.budgets()] if own else [],
            points=points,
            hypervolume=_hypervolume(fronts.get(OVERALL, []), reference),
            hypervolumes={
                name: _hypervolume(rows, reference)
                for name, rows in sorted(fronts.items())
                if name != OVERALL
            },
            reference_cost=reference,
        )

    def _kept(self, job_id: str, metric: str, method: str | None = None) -> Group:
        """The materialised fronts; with a method, its front is also the overall one."""
        query = (
            select(FrontMember.method.label("front"), *_columns(FrontMember.cost))
            .join(Point, Point.id == FrontMember.point_id)
            .where(FrontMember.job_id == job_id, FrontMember.metric == metric)
        )
        if method is not None:
            query = query.where(FrontMember.method == method)
        fronts: Group = {}
        for name, *values in self._session.execute(query):
            fronts.setdefault(name, []).append(Row(*values))
        return fronts if method is None else {OVERALL: fronts.get(method, []), **fronts}

    def _computed(self, cost: SQLColumnExpression[float], chosen: Sequence[ColumnElement[bool]]) -> Group:
        rows = self._rows(_points(cost, [*chosen, Point.feasible.is_(True)]))
        methods = {row.method for row in rows}
        of_methods = {name: _front([row for row in rows if row.method == name]) for name in methods}
        return {OVERALL: _front(rows), **of_methods}

    def _rows(self, query: Select[Any]) -> list[Row]:
        return [Row(*values) for values in self._session.execute(query)]

    def _greatest_cost(self, job_id: str, metric: str) -> float:
        query = select(FrontExtent.greatest).where(FrontExtent.job_id == job_id, FrontExtent.metric == metric)
        return self._session.scalar(query) or 0.0


def cost_column(spec: JobSpec, metric: str) -> SQLColumnExpression[float]:
    """The column or expression that holds a point's cost by a metric."""
    path = (metric_scope(spec, metric), metric)
    return Point.budget_cost if metric == spec.budget.metric else Point.costs[path].as_float()


def _chosen(job_id: str, methods: Sequence[str], seeds: Sequence[int]) -> list[ColumnElement[bool]]:
    chosen = [Point.job_id == job_id]
    if methods:
        chosen.append(Point.method.in_(methods))
    if seeds:
        chosen.append(Point.seed.in_(seeds))
    return chosen


def _columns(cost: SQLColumnExpression[float]) -> tuple[SQLColumnExpression[Any], ...]:
    """The fields of `Row`, in its order."""
    names = (Point.place, Point.id, Point.trial_id, Point.method, Point.seed)
    accuracies = (Point.validation_accuracy, Point.test_accuracy)
    losses = (Point.validation_loss, Point.test_loss)
    return (*names, cost, *accuracies, *losses, Point.score, Point.test_score, Point.feasible)


def _points(cost: SQLColumnExpression[float], chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The points that have such a cost: those of an earlier version have none by a metric that it lacked."""
    return select(*_columns(cost)).where(*chosen, cost.is_not(None)).order_by(Point.place)


def _front(rows: Sequence[Row]) -> list[Row]:
    """The rows, given by place, that no other beats."""
    kept = is_on_front([row.cost for row in rows], [row.score for row in rows])
    return [row for row, stays in zip(rows, kept, strict=True) if stays]


def _hypervolume(rows: Sequence[Row], reference: float) -> float:
    if not rows or reference <= 0:
        return 0.0
    return hypervolume([row.cost for row in rows], [row.score for row in rows], reference)


def _fields(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "place"}


def _shown(job_id: str, rows: Sequence[Row], front: frozenset[str]) -> list[FrontPoint]:
    ranked = sorted(rows, key=lambda row: (row.cost, -row.score, row.place))
    return [FrontPoint(job_id=job_id, on_front=row.id in front, **_fields(row)) for row in ranked]
