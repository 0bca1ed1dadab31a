"""The points of several jobs at once, as JSON or CSV: exact fronts, and the others thinned, by ranges."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from starlette.responses import Response

from models.cost import BUDGET_METRICS
from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.errors import InvalidFieldsError
from service.api.overlays import asked_jobs, asked_methods, asked_metric, asked_seeds
from service.api.queries import CloudChoice, CloudQuery
from service.clouds.hypervolume import hypervolume_over
from service.clouds.views import CloudPoint, CloudView, Region
from service.csv_text import csv_text
from service.figures.table import figure_csv
from service.figures.views import FigureView
from service.problem import FieldError
from service.store.clouds import Choice

router = APIRouter(prefix="/v1/fronts", tags=["fronts"])
PLAIN = tuple(name for name in CloudPoint.model_fields if name != "costs")


@router.get("/points", response_model=CloudView)
def points(context: Context, query: CloudChoice, request: Request) -> CloudView | Response:
    """The points of some jobs: all that are on a front, and at most `most` of the others in the ranges."""
    region = _region(query)
    with context.store.unit() as unit:
        jobs = asked_jobs(unit, query)
        choice = Choice(
            metric=asked_metric(query, jobs),
            methods=asked_methods(query, jobs),
            seeds=asked_seeds(query, jobs),
        )
        found = unit.clouds.view(jobs, choice, region=region, most=query.most)
    return _as_csv(found) if wants_csv(query.format, request) else found


@router.get("/hypervolume", response_model=FigureView)
def hypervolume(context: Context, query: CloudChoice, request: Request) -> FigureView | Response:
    """How the hypervolume of each job's front grew, over its samples or its time; ranges play no part."""
    with context.store.unit() as unit:
        jobs = asked_jobs(unit, query)
        choice = Choice(
            metric=asked_metric(query, jobs),
            methods=asked_methods(query, jobs),
            seeds=asked_seeds(query, jobs),
        )
        figure = hypervolume_over(unit, jobs, choice, over=query.over)
    return csv_answer(figure_csv(figure), figure.key) if wants_csv(query.format, request) else figure


def _region(query: CloudQuery) -> Region:
    for least, most in (("cost_min", "cost_max"), ("score_min", "score_max")):
        if getattr(query, most) is not None and getattr(query, least) > getattr(query, most):
            detail = f"{least} is greater than {most}."
            error = FieldError(parameter=least, detail=detail, fix="Swap them.", code="out_of_range")
            raise InvalidFieldsError([error])
    given = {name: getattr(query, name) for name in ("cost_min", "cost_max", "score_min", "score_max")}
    known = {name: value for name, value in given.items() if value is not None}
    return Region(**known, accuracy=query.accuracy)


def _as_csv(found: CloudView) -> Response:
    columns = ["metric", "scope", *PLAIN, *(f"cost_{metric}" for metric in BUDGET_METRICS)]
    return csv_answer(csv_text(columns, _rows(found)), f"points-{found.metric}")


def _rows(found: CloudView) -> Iterator[list[object]]:
    for point in found.points:
        fields = (getattr(point, name) for name in PLAIN)
        yield [found.metric, found.scope, *fields, *(point.costs.get(metric) for metric in BUDGET_METRICS)]
