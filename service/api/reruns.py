"""Reruns over REST: train a point again, follow it, and see whether it came out exactly the same."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_table, wants_csv
from service.api.ids import PointId, RerunId
from service.api.queries import TableForm, Wait
from service.api.waiting import answer_once
from service.reruns.views import ENDED_RERUN_STATES, RerunView

router = APIRouter(prefix="/v1", tags=["points"])


@router.post("/points/{point_id}/rerun", status_code=202)
def submit(context: Context, point_id: PointId, response: Response) -> RerunView:
    """Train a point again as it was trained; while one is under way, asking again answers that one."""
    with context.store.unit() as unit:
        rerun, created = unit.reruns.submit(point_id)
    response.headers["Location"] = f"/v1/reruns/{rerun.id}"
    if not created:
        response.headers["Idempotent-Replayed"] = "true"
    return rerun


@router.get("/points/{point_id}/reruns", response_model=list[RerunView])
def listing(
    context: Context, point_id: PointId, query: TableForm, request: Request
) -> list[RerunView] | Response:
    """The last 20 reruns of a point, newest first."""
    with context.store.unit() as unit:
        found = unit.reruns.of_point(point_id)
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.RERUNS, f"{point_id}-reruns") if csv else found


@router.get("/reruns/{rerun_id}")
async def one(context: Context, rerun_id: RerunId, query: Wait, request: Request) -> RerunView:
    """A rerun; with `wait`, not before it has ended or that many seconds are over."""
    return await answer_once(
        context,
        request,
        wait=query.wait,
        read=lambda: _read(context, rerun_id),
        ended=lambda rerun: rerun.state in ENDED_RERUN_STATES,
    )


def _read(context: ApiContext, rerun_id: str) -> RerunView:
    with context.store.unit() as unit:
        return unit.reruns.get(rerun_id)
