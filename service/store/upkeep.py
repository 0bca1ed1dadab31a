"""Keep the materialised fronts of a job true as points arrive, in the transaction that stores the point.

A point that is beaten never returns to a front, so a front with one more point is the front of its members
and that point. Of equal points the one with the least `place` stays, whichever was stored first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.job import JobSpec
from search.pareto import is_on_front
from service.store.limits import known_metrics, metric_cost
from service.store.tables import FrontMember, Point

OVERALL = ""
"""The `method` of the fronts over all methods."""


def add_to_fronts(session: Session, spec: JobSpec, point: Point) -> bool:
    """Take a new point into the fronts it belongs to; whether the overall one of the job's metric has it."""
    if not point.feasible:
        return False
    metrics = known_metrics(spec, point.costs)
    groups = [(metric, method) for metric in metrics for method in (OVERALL, point.method)]
    members = _members(session, point)
    joined = {group: _add(session, members.get(group, []), _member(spec, point, group)) for group in groups}
    session.flush()
    return joined[(spec.budget.metric, OVERALL)]


def _members(session: Session, point: Point) -> dict[tuple[str, str], list[FrontMember]]:
    query = select(FrontMember).where(
        FrontMember.job_id == point.job_id, FrontMember.method.in_((OVERALL, point.method))
    )
    found: dict[tuple[str, str], list[FrontMember]] = {}
    for member in session.scalars(query):
        found.setdefault((member.metric, member.method), []).append(member)
    return found


def _member(spec: JobSpec, point: Point, group: tuple[str, str]) -> FrontMember:
    metric, method = group
    return FrontMember(
        job_id=point.job_id,
        metric=metric,
        method=method,
        point_id=point.id,
        place=point.place,
        cost=metric_cost(spec, metric, point.costs),
        score=point.score,
    )


def _add(session: Session, members: Sequence[FrontMember], new: FrontMember) -> bool:
    candidates = sorted((*members, new), key=lambda member: member.place)
    kept = is_on_front([member.cost for member in candidates], [member.score for member in candidates])
    beaten = [member for member, stays in zip(candidates, kept, strict=True) if not stays]
    for member in beaten:
        if member is not new:
            session.delete(member)
    if new in beaten:
        return False
    session.add(new)
    return True
