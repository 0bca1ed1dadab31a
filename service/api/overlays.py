"""The fronts of several jobs over one another, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.errors import InvalidFieldsError
from service.api.fronts import CSV_COLUMNS, budget_metric
from service.api.ids import checked_job_id
from service.api.queries import Overlay, OverlayQuery
from service.csv_text import csv_text
from service.problem import FieldError
from service.store import Unit
from service.views import JobView, OverlayView

router = APIRouter(prefix="/v1", tags=["fronts"])


@router.get("/fronts", response_model=OverlayView)
def fronts(context: Context, query: Overlay, request: Request) -> OverlayView | Response:
    """The fronts of some jobs (`job`, repeated, or those of a `batch`), and the front over all of them."""
    with context.store.unit() as unit:
        jobs = unit.jobs.all_of(_job_ids(unit, query))
        found = unit.fronts.overlay(
            jobs, metric=_metric(query, jobs), method=_method(query, jobs), all_points=query.all_points
        )
    return _as_csv(found) if wants_csv(query.format, request) else found


def _job_ids(unit: Unit, query: OverlayQuery) -> list[str]:
    """Each once, in the order in which they were asked for."""
    named = [checked_job_id(job_id) for job_id in query.job]
    if query.batch is not None:
        unit.batches.require(query.batch)
        named += unit.batches.job_ids(query.batch)
    if not named:
        raise _wrong("job", "no job is named.", "Name each as in ?job=job-...&job=job-..., or a batch.")
    return list(dict.fromkeys(named))


def _metric(query: OverlayQuery, jobs: Sequence[JobView]) -> str:
    own = sorted({budget_metric(job) for job in jobs})
    if query.metric is None and len(own) > 1:
        raise _wrong("metric", f"the jobs have budgets of {', '.join(own)}.", "Choose one metric for all.")
    return query.metric or own[0]


def _method(query: OverlayQuery, jobs: Sequence[JobView]) -> str | None:
    known = dict.fromkeys(method for job in jobs for method in [*job.spec["methods"], "uniform"])
    if query.method is not None and query.method not in known:
        detail = f"none of the jobs has a method {query.method!r}."
        raise _wrong("method", detail, f"Use one of {', '.join(known)}.")
    return query.method


def _wrong(parameter: str, detail: str, fix: str) -> InvalidFieldsError:
    error = FieldError(parameter=parameter, detail=detail, fix=fix, code="unknown_value")
    return InvalidFieldsError([error])


def _as_csv(found: OverlayView) -> Response:
    columns = ["metric", "scope", "job_name", *CSV_COLUMNS, "on_front_of_all", "objective"]
    return csv_answer(csv_text(columns, _rows(found)), f"fronts-{found.metric}")


def _rows(found: OverlayView) -> Iterator[list[object]]:
    best = {point.id for point in found.front}
    for job in found.jobs:
        for point in job.points:
            told = [point.id in best, found.objective]
            yield [found.metric, found.scope, job.name, *point.model_dump().values(), *told]
