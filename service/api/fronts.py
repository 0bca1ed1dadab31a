"""The front of a job over REST, as JSON or CSV, and the best point under a budget."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.errors import HttpError
from service.api.filters import check_study
from service.api.ids import JobId
from service.api.queries import Best, FrontChoice
from service.csv_text import csv_text
from service.front_views import FrontPoint, FrontView
from service.views import JobView, PointView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["fronts"])
CSV_COLUMNS = tuple(FrontPoint.model_fields)


@router.get("/front", response_model=FrontView)
def front(context: Context, job_id: JobId, query: FrontChoice, request: Request) -> FrontView | Response:
    """The points of a job on its front (or all of them) by one cost, and the hypervolumes."""
    with context.store.unit() as unit:
        job = unit.jobs.get(job_id)
        check_study(job, query.method, query.seed)
        found = unit.fronts.front(
            job_id,
            metric=query.metric or budget_metric(job),
            method=query.method,
            seed=query.seed,
            all_points=query.all_points,
        )
    return _as_csv(found) if wants_csv(query.format, request) else found


@router.get("/best")
def best(context: Context, job_id: JobId, query: Best) -> PointView:
    """The feasible point with the best validation objective whose cost is at most `max`."""
    with context.store.unit() as unit:
        metric = query.metric or budget_metric(unit.jobs.get(job_id))
        point = unit.fronts.best(job_id, metric=metric, maximum=query.max)
    if point is None:
        raise HttpError(
            404,
            "no_feasible_point",
            f"the job has no feasible point with {metric} of at most {query.max:g} so far.",
            fix="Ask for a greater maximum, or wait for more trials.",
        )
    return point


def budget_metric(job: JobView) -> str:
    """The metric of the job's budget."""
    return str(job.spec["budget"]["metric"])


def _as_csv(found: FrontView) -> Response:
    rows = (
        [found.metric, found.scope, *point.model_dump().values(), found.objective] for point in found.points
    )
    text = csv_text(["metric", "scope", *CSV_COLUMNS, "objective"], rows)
    return csv_answer(text, f"{found.job_id}-{found.metric}")
