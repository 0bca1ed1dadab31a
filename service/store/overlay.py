"""Lays the fronts of several jobs over one another.

The front over all points is the front over the members of the fronts, since a point that its own job's front
beats is beaten among all points too.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InvalidInputError
from search.pareto import hypervolume, is_on_front
from service.views import FrontPoint, FrontView, JobFrontView, JobView, OverlayView


def overlaid(
    jobs: Sequence[JobView], views: Sequence[FrontView], *, metric: str, method: str | None
) -> OverlayView:
    """The overlay of one or more jobs with their fronts. Raises InvalidInputError where scopes differ."""
    scopes = sorted({view.scope for view in views})
    if len(scopes) > 1:
        raise InvalidInputError(
            f"some of the jobs count {metric} over all layers and some over the searched ones.",
            fix="Choose another metric, or jobs with the same `budget.scope`.",
        )
    reference = max(view.reference_cost for view in views)
    front = _front([point for view in views for point in view.points if point.on_front])
    return OverlayView(
        metric=metric,
        scope=scopes[0],
        method=method,
        same_data=all(job.spec["dataset"] == jobs[0].spec["dataset"] for job in jobs),
        jobs=[_of_job(job, view.points, reference) for job, view in zip(jobs, views, strict=True)],
        front=front,
        hypervolume=_hypervolume(front, reference),
        reference_cost=reference,
    )


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
    kept = is_on_front([point.cost for point in points], [point.validation_accuracy for point in points])
    found = [point for point, stays in zip(points, kept, strict=True) if stays]
    return sorted(found, key=lambda point: (point.cost, -point.validation_accuracy))


def _hypervolume(points: Sequence[FrontPoint], reference: float) -> float:
    if not points or reference <= 0:
        return 0.0
    costs = [point.cost for point in points]
    return hypervolume(costs, [point.validation_accuracy for point in points], reference)
