"""The front of a job over REST, as JSON or CSV, and the best point under a budget."""

from __future__ import annotations

import csv
import io

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.context import Context
from service.api.errors import HttpError
from service.api.filters import check_study
from service.api.ids import JobId
from service.api.queries import Best, FrontChoice
from service.views import FrontPoint, FrontView, JobView, PointView

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


def wants_csv(asked: str | None, request: Request) -> bool:
    """Whether a query or, without one, the `Accept` header asks for CSV."""
    return asked == "csv" or (
        asked is None and request.headers.get("accept", "").lower().startswith("text/csv")
    )


def _as_csv(found: FrontView) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["metric", "scope", *CSV_COLUMNS, "objective"])
    for point in found.points:
        writer.writerow([found.metric, found.scope, *point.model_dump().values(), found.objective])
    headers = {"Content-Disposition": f'attachment; filename="{found.job_id}-{found.metric}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
