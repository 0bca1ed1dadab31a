"""Answers a fit from the points of a job."""

from __future__ import annotations

from models.cost import Limit
from models.errors import InvalidInputError
from search.fit import Candidate, best, excess, nearest
from search.fit_next import Reach, advice, reaches
from service.fit.views import FitCostView, FitLimitView, FitNextView, FitPointView, FitView
from service.fit.words import command, sentence
from service.store.fits import FitRow, FitSource


def fit_of(job_id: str, source: FitSource) -> FitView:
    """The best point that keeps all limits, or the nearest one and what to search next.

    Raises InvalidInputError where the job has points, but the costs of none are known or can be computed.
    """
    if source.left_out and not source.rows:
        raise _not_computable(source)
    maxima = [limit.maximum for limit in source.limits]
    candidates = [Candidate(id=row.id, score=row.score, costs=row.costs) for row in source.rows]
    rows = {row.id: row for row in source.rows}
    found = best(candidates, maxima)
    near = None if found is not None else nearest(candidates, maxima)
    return FitView(
        job_id=job_id,
        state=source.state,
        objective=source.spec.objective,
        fits=found is not None,
        limits=_limits(source),
        best=None if found is None else _point(rows[found.id], source.limits),
        nearest=None if near is None else _point(rows[near.id], source.limits),
        compared=len(rows),
        left_out=source.left_out,
        next=_next(job_id, source) if found is None and source.tables else None,
    )


def _not_computable(source: FitSource) -> InvalidInputError:
    metrics = ", ".join(limit.metric for limit in source.limits)
    return InvalidInputError(
        f"the points of this job were stored without a cost by each of {metrics}, and its stored layer table "
        "does not tell the bits of every layer, so that they cannot be computed.",
        fix="Submit the job again: what it trained is not trained twice.",
    )


def _limits(source: FitSource) -> list[FitLimitView]:
    known = reaches(source.spec, source.tables, source.limits) if source.tables else []
    by_metric = {one.limit.metric: one for one in known}
    return [_limit(limit, by_metric.get(limit.metric)) for limit in source.limits]


def _limit(limit: Limit, reach: Reach | None) -> FitLimitView:
    return FitLimitView(
        metric=limit.metric,
        scope=limit.scope,
        maximum=limit.maximum,
        least=None if reach is None else reach.least,
        achievable=None if reach is None else reach.achievable,
    )


def _point(row: FitRow, limits: tuple[Limit, ...]) -> FitPointView:
    fields = row._asdict()
    costs = [_cost(limit, cost) for limit, cost in zip(limits, fields.pop("costs"), strict=True)]
    return FitPointView(**fields, costs=costs)


def _cost(limit: Limit, cost: float) -> FitCostView:
    return FitCostView(
        metric=limit.metric,
        scope=limit.scope,
        maximum=limit.maximum,
        cost=cost,
        over=max(0.0, cost - limit.maximum),
        excess=excess(cost, limit.maximum),
    )


def _next(job_id: str, source: FitSource) -> FitNextView:
    found = advice(source.spec, source.tables, source.limits)
    return FitNextView(
        change=found.change,
        advice=sentence(found),
        patch=None if found.patch is None else dict(found.patch),
        command=None if found.patch is None else command(job_id, found.patch),
        unforeseen=[limit.metric for limit in found.unforeseen],
    )
