"""Lays the fronts of several jobs over one another.

The front over all points is the front over the members of the fronts, since a point that its own job's front
beats is beaten among all points too. Points are compared by their scores (search.objective).
"""

from __future__ import annotations

from collections.abc import Sequence

from models.cost import HARDWARE_METRICS
from models.errors import InvalidInputError
from search.job import JobSpec
from search.pareto import hypervolume, is_on_front
from service.front_views import FrontPoint, FrontView, JobFrontView, OverlayView
from service.views import JobView


def overlaid(
    jobs: Sequence[JobView],
    views: Sequence[FrontView],
    *,
    metric: str,
    methods: Sequence[str],
    seeds: Sequence[int],
) -> OverlayView:
    """The overlay of one or more jobs with their fronts; InvalidInputError where they do not compare."""
    check_comparable(jobs, [view.scope for view in views], [view.objective for view in views], metric)
    reference = max(view.reference_cost for view in views)
    front = _front([point for view in views for point in view.points if point.on_front])
    return OverlayView(
        metric=metric,
        scope=views[0].scope,
        objective=views[0].objective,
        method=methods[0] if len(methods) == 1 else None,
        methods=list(methods),
        seeds=list(seeds),
        same_data=all(job.spec["dataset"] == jobs[0].spec["dataset"] for job in jobs),
        jobs=[_of_job(job, view.points, reference) for job, view in zip(jobs, views, strict=True)],
        front=front,
        hypervolume=_hypervolume(front, reference),
        reference_cost=reference,
    )


def check_comparable(
    jobs: Sequence[JobView], scopes: Sequence[str], objectives: Sequence[str], metric: str
) -> None:
    """Raises InvalidInputError unless costs by the metric and scores mean the same in all jobs."""
    if len(set(scopes)) > 1:
        raise InvalidInputError(
            f"some of the jobs count {metric} over all layers and some over the searched ones.",
            fix="Choose another metric, or jobs with the same `budget.scope`.",
        )
    if len(set(objectives)) > 1:
        raise InvalidInputError(
            f"the jobs have the objectives {', '.join(sorted({*objectives}))}, whose scores do not compare.",
            fix="Choose jobs with the same `objective`.",
        )
    bases = [_basis(JobSpec.model_validate(job.spec), metric) for job in jobs]
    if any(basis != bases[0] for basis in bases):
        raise InvalidInputError(
            f"the jobs do not compute {metric} alike: their {_source(metric)} differs.",
            fix=f"Choose another metric, or jobs with the same `{_source(metric)}`.",
        )


def _basis(spec: JobSpec, metric: str) -> object:
    """What a cost by the metric depends on beside bits and shapes."""
    if metric in HARDWARE_METRICS:
        return spec.hardware.telling(metric)
    return spec.cost_table if metric == "table" else None


def _source(metric: str) -> str:
    return "cost_table" if metric == "table" else "hardware"


def _of_job(job: JobView, points: list[FrontPoint], reference: float) -> JobFrontView:
    return JobFrontView(
        job_id=job.id,
        name=job.name,
        state=job.state,
        labels=job.labels,
        architecture=job.spec["architecture"],
        dataset=job.spec["dataset"],
        points=points,
        hypervolume=_hypervolume([point for point in points if point.on_front], reference),
    )


def _front(points: Sequence[FrontPoint]) -> list[FrontPoint]:
    kept = is_on_front([point.cost for point in points], [point.score for point in points])
    found = [point for point, stays in zip(points, kept, strict=True) if stays]
    return sorted(found, key=lambda point: (point.cost, -point.score))


def _hypervolume(points: Sequence[FrontPoint], reference: float) -> float:
    if not points or reference <= 0:
        return 0.0
    costs = [point.cost for point in points]
    return hypervolume(costs, [point.score for point in points], reference)
