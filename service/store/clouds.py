"""Reads all points of some jobs at once, from their narrow rows.

Fronts are taken over everything that was chosen; only then points outside a region are left out and those
that no front needs are thinned, so neither changes a front. Of equal points that of the first job, and in it
of the first study and trial, is on the front.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, select

from search.job import JobSpec
from search.pareto import is_on_front
from search.thinning import thinned
from service.clouds.views import CloudJob, CloudPoint, CloudView, Region
from service.store.limits import metric_scope
from service.store.overlay import check_comparable
from service.store.tables import FrontExtent, PointSummary, Trial
from service.store.tables.clouds import COST_COLUMNS
from service.store.transaction import Repository
from service.views import JobView, objective_of

ROWS_AT_ONCE = 5_000  # well below what a statement may have as parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which points of the jobs; empty means every one."""

    metric: str
    methods: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A feasible point when it was stored: the samples of its job's trials and the hours until then."""

    samples: int
    hours: float
    cost: float
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Cloud:
    """N chosen points as columns of shape [N], in the order of the jobs and of their places in them.

    `job` and `series` number the jobs, and the (job, method) pairs.
    """

    job: NDArray[np.int64]
    place: NDArray[np.int64]
    series: NDArray[np.int64]
    feasible: NDArray[np.bool_]
    cost: NDArray[np.float64]
    score: NDArray[np.float64]
    test_score: NDArray[np.float64]
    on_front: NDArray[np.bool_]
    on_own_front: NDArray[np.bool_]

    def within(self, region: Region) -> NDArray[np.bool_]:
        """Which points lie in a region."""
        score_N = self.test_score if region.accuracy == "test" else self.score
        inside: NDArray[np.bool_] = (self.cost >= region.cost_min) & (self.cost <= region.cost_max)
        return inside & (score_N >= region.score_min) & (score_N <= region.score_max)

    def chosen(self, region: Region, most: int) -> NDArray[np.intp]:
        """The points to show of a region: its part of the fronts, and at most `most` others."""
        inside = np.flatnonzero(self.within(region))
        columns = (self.cost, self.score, self.series, self.on_own_front | self.on_front)
        return inside[thinned(*(column[inside] for column in columns), most=most)]


class CloudRepository(Repository):
    """Reads whole jobs with one query each, and one for what is shown of them."""

    def view(
        self,
        jobs: Sequence[JobView],
        choice: Choice,
        *,
        region: Region | None = None,
        most: int,
        cloud: Cloud | None = None,
    ) -> CloudView:
        """The points of some jobs, out of their `cloud` where that was read already.

        Raises as an overlay of fronts does where they do not compare.
        """
        specs = [JobSpec.model_validate(job.spec) for job in jobs]
        scopes = [metric_scope(spec, choice.metric) for spec in specs]
        objectives = [spec.objective for spec in specs]
        check_comparable(jobs, scopes, objectives, choice.metric)
        cloud = cloud or self.cloud(jobs, choice)
        asked = region or Region()
        points = self._points(jobs, cloud, cloud.chosen(asked, most))
        counts = np.bincount(cloud.job, minlength=len(jobs))
        metrics = [name for name in specs[0].metrics() if all(name in spec.metrics() for spec in specs)]
        return CloudView(
            metric=choice.metric,
            scope=scopes[0],
            objective=objective_of(jobs[0]),
            metrics=metrics,
            same_data=all(job.spec["dataset"] == jobs[0].spec["dataset"] for job in jobs),
            jobs=[
                CloudJob(job_id=job.id, name=job.name, state=job.state, points=int(count))
                for job, count in zip(jobs, counts, strict=True)
            ],
            methods=list(dict.fromkeys(method for spec in specs for method in spec.all_methods())),
            seeds=sorted({seed for spec in specs for seed in spec.seeds}),
            total=int(cloud.within(asked).sum()),
            shown=len(points),
            points=points,
        )

    def cloud(self, jobs: Sequence[JobView], choice: Choice) -> Cloud:
        """Every chosen point, with the fronts over all of them."""
        numbers: dict[str, int] = {}  # of methods
        lots = [
            _lot(number, rows, numbers)
            for number, job in enumerate(jobs)
            for rows in self._session.execute(_columns(job.id, choice)).partitions()
        ]
        return _cloud(lots, methods=len(numbers))

    def found(self, job: JobView, choice: Choice) -> list[Found]:
        """The chosen feasible points of a job as they were stored, for lines over compute or time."""
        trained = select(Trial.id, Trial.samples).where(Trial.job_id == job.id)
        samples = {row.id: row.samples for row in self._session.execute(trained)}
        columns = (PointSummary.trial_id, PointSummary.created_at, _cost(choice.metric), PointSummary.score)
        query = select(*columns).where(*_conditions(job.id, choice), PointSummary.feasible)
        rows = self._session.execute(query.order_by(PointSummary.created_at, PointSummary.place)).all()
        found: list[Found] = []
        so_far = 0
        for trial_id, moment, cost, score in rows:
            so_far += samples.pop(trial_id, 0)
            hours = (moment - rows[0][1]).total_seconds() / 3600
            found.append(Found(samples=so_far, hours=hours, cost=cost, score=score))
        return found

    def reference(self, jobs: Sequence[JobView], metric: str) -> float:
        """The greatest of the jobs' references by a metric: see FrontView."""
        ids = [job.id for job in jobs if job.spec["budget"]["metric"] != metric]
        query = select(FrontExtent.greatest).where(FrontExtent.job_id.in_(ids), FrontExtent.metric == metric)
        budgets = [job.spec["budget"] for job in jobs if job.id not in ids]
        own = (max(budget["max"]) for budget in budgets)
        return max([*own, *self._session.scalars(query)], default=0.0)

    def _points(self, jobs: Sequence[JobView], cloud: Cloud, shown: NDArray[np.intp]) -> list[CloudPoint]:
        found = [
            point
            for number, job in enumerate(jobs)
            for point in self._of_job(job.id, cloud, shown[cloud.job[shown] == number])
        ]
        return sorted(found, key=lambda point: (point.cost, -point.score))

    def _of_job(self, job_id: str, cloud: Cloud, shown: NDArray[np.intp]) -> Iterator[CloudPoint]:
        at = dict(zip(cloud.place[shown].tolist(), shown.tolist(), strict=True))
        places = list(at)
        for start in range(0, len(places), ROWS_AT_ONCE):
            lot = PointSummary.place.in_(places[start : start + ROWS_AT_ONCE])
            for row in self._session.execute(_everything().where(PointSummary.job_id == job_id, lot)):
                place, *fields = row
                yield _point(job_id, cloud, at[place], fields)


_FIELDS = ("point_id", "method", "seed", "mean_weight_bits", "mean_spike_bits", "mean_steps")


def _everything() -> Select[Any]:
    return select(
        PointSummary.place, *(getattr(PointSummary, name) for name in (*_FIELDS, *COST_COLUMNS.values()))
    )


def _cost(metric: str) -> Any:
    return getattr(PointSummary, COST_COLUMNS[metric])


def _conditions(job_id: str, choice: Choice) -> list[ColumnElement[bool]]:
    conditions = [PointSummary.job_id == job_id, _cost(choice.metric).is_not(None)]
    if choice.methods:
        conditions.append(PointSummary.method.in_(choice.methods))
    if choice.seeds:
        conditions.append(PointSummary.seed.in_(choice.seeds))
    return conditions


def _columns(job_id: str, choice: Choice) -> Select[Any]:
    scores = (PointSummary.score, PointSummary.test_score)
    told = (PointSummary.place, PointSummary.method, PointSummary.feasible, _cost(choice.metric), *scores)
    query = select(*told).where(*_conditions(job_id, choice)).order_by(PointSummary.place)
    return query.execution_options(yield_per=ROWS_AT_ONCE)


def _lot(job: int, rows: Sequence[Sequence[Any]], numbers: dict[str, int]) -> list[NDArray[Any]]:
    """Some rows as columns, methods as numbers. Many rows at once would keep the garbage collector busy."""
    place, method, feasible, cost, score, test_score = zip(*rows, strict=True)
    known = [numbers.setdefault(name, len(numbers)) for name in method]
    whole = (np.array(column, dtype=np.int64) for column in ([job] * len(rows), known, place))
    real = (np.array(column, dtype=np.float64) for column in (cost, score, test_score))
    return [*whole, np.array(feasible, dtype=np.bool_), *real]


def _cloud(lots: Sequence[Sequence[NDArray[Any]]], *, methods: int) -> Cloud:
    empty: list[NDArray[Any]] = [
        np.zeros(0, dtype=kind) for kind in (*[np.int64] * 3, np.bool_, *[np.float64] * 3)
    ]
    columns = [np.concatenate(parts) for parts in zip(empty, *lots, strict=True)]
    job_N, method_N, place_N, feasible_N, cost_N, score_N, test_score_N = columns
    series_N = job_N * max(methods, 1) + method_N
    return Cloud(
        job=job_N,
        place=place_N,
        series=series_N,
        feasible=feasible_N,
        cost=cost_N,
        score=score_N,
        test_score=test_score_N,
        on_front=_fronts(np.zeros_like(series_N), feasible_N, cost_N, score_N),
        on_own_front=_fronts(series_N, feasible_N, cost_N, score_N),
    )


def _fronts(
    groups_N: NDArray[np.int64],
    feasible_N: NDArray[np.bool_],
    cost_N: NDArray[np.float64],
    score_N: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which feasible points are on the front of their group."""
    found = np.zeros(len(groups_N), dtype=np.bool_)
    for group in np.unique(groups_N[feasible_N]):
        own = np.flatnonzero(feasible_N & (groups_N == group))
        found[own] = is_on_front(cost_N[own], score_N[own])
    return found


def _point(job_id: str, cloud: Cloud, at: int, fields: Sequence[Any]) -> CloudPoint:
    named = dict(zip(("id", *_FIELDS[1:]), fields[: len(_FIELDS)], strict=True))
    by_metric = zip(COST_COLUMNS, fields[len(_FIELDS) :], strict=True)
    return CloudPoint.model_construct(  # of rows that the store checked when it took them
        **named,
        job_id=job_id,
        cost=float(cloud.cost[at]),
        score=float(cloud.score[at]),
        test_score=float(cloud.test_score[at]),
        feasible=bool(cloud.feasible[at]),
        on_front=bool(cloud.on_front[at]),
        on_own_front=bool(cloud.on_own_front[at]),
        costs={name: cost for name, cost in by_metric if cost is not None},
    )
