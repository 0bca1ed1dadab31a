"""The fronts of several jobs over one another, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.errors import InvalidFieldsError
from service.api.filters import chosen_labels
from service.api.fronts import CSV_COLUMNS
from service.api.queries import JobsQuery, Overlay
from service.clouds.selection import chosen_jobs, known_methods, known_seeds, own_metrics
from service.csv_text import csv_text
from service.front_views import OverlayView
from service.problem import FieldError
from service.store import Unit
from service.views import JobView

router = APIRouter(prefix="/v1", tags=["fronts"])


@router.get("/fronts", response_model=OverlayView)
def fronts(context: Context, query: Overlay, request: Request) -> OverlayView | Response:
    """The fronts of some jobs (`job`, repeated, of a `batch`, with a `label`), and the front over all."""
    with context.store.unit() as unit:
        jobs = asked_jobs(unit, query)
        found = unit.fronts.overlay(
            jobs,
            metric=asked_metric(query, jobs),
            methods=asked_methods(query, jobs),
            seeds=asked_seeds(query, jobs),
            all_points=query.all_points,
        )
    return _as_csv(found) if wants_csv(query.format, request) else found


def asked_jobs(unit: Unit, query: JobsQuery) -> list[JobView]:
    """Each once, in the order in which they were asked for. Raises where there is none."""
    jobs = chosen_jobs(unit, query.job, batch=query.batch, labels=chosen_labels(query.label))
    if not jobs:
        detail = "no job is named." if not query.label else "no job has these labels."
        raise _wrong("job", detail, "Name each as in ?job=job-...&job=job-..., a batch, or a label.")
    return jobs


def asked_metric(query: JobsQuery, jobs: Sequence[JobView]) -> str:
    """The metric that was asked for, or that of all budgets."""
    own = own_metrics(jobs)
    if query.metric is None and len(own) > 1:
        raise _wrong("metric", f"the jobs have budgets of {', '.join(own)}.", "Choose one metric for all.")
    return query.metric or own[0]


def asked_methods(query: JobsQuery, jobs: Sequence[JobView]) -> tuple[str, ...]:
    """The methods that were asked for, each of which a job has."""
    known = known_methods(jobs)
    for method in query.method:
        if method not in known:
            detail = f"none of the jobs has a method {method!r}."
            raise _wrong("method", detail, f"Use one of {', '.join(known)}.")
    return tuple(dict.fromkeys(query.method))


def asked_seeds(query: JobsQuery, jobs: Sequence[JobView]) -> tuple[int, ...]:
    """The seeds that were asked for, each of which a job has."""
    known = known_seeds(jobs)
    for seed in query.seed:
        if seed not in known:
            fix = f"Use one of {', '.join(map(str, known))}."
            raise _wrong("seed", f"none of the jobs has a seed {seed}.", fix)
    return tuple(dict.fromkeys(query.seed))


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
