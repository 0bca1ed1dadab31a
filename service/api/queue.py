"""The queue over REST: who waits and who works, the priority of a job, what went wrong with its leases."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from service.api import tables
from service.api.body import JsonBytes, parse_as
from service.api.context import Context, Operations
from service.api.csv_answers import csv_listing, wants_csv
from service.api.ids import JobId
from service.api.queries import Pages
from service.api.submission import Priority
from service.queue.reading import read_queue
from service.queue.views import QueueView
from service.views import IncidentView, JobView, Page

router = APIRouter(prefix="/v1", tags=["queue"])


class PriorityBody(BaseModel):
    """Where a job stands in the queue of its workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: Priority


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": PriorityBody.model_json_schema()}},
    }
}


@router.get("/queue")
def queue(context: Context, operations: Operations) -> QueueView:
    """The jobs of the workspace that wait, in the order of their claims, and run, and all dispatchers."""
    return read_queue(operations.store, context.store, context.caller.workspace, context.room.problem())


@router.put("/jobs/{job_id}/priority", openapi_extra=_BODY)
def set_priority(context: Context, job_id: JobId, raw: JsonBytes) -> JobView:
    """Move a job forward or back among those of its workspace; nothing else of it changes."""
    wanted = parse_as(PriorityBody, raw).priority
    with context.store.unit() as unit:
        return unit.jobs.set_priority(job_id, wanted)


@router.get("/jobs/{job_id}/incidents", response_model=Page[IncidentView])
def incidents(
    context: Context, job_id: JobId, query: Pages, request: Request
) -> Page[IncidentView] | Response:
    """Leases of a job that ran out and results that came too late, newest first."""

    def read(limit: int, cursor: str | None) -> Page[IncidentView]:
        with context.store.unit() as unit:
            return unit.incidents.page(job_id, limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.INCIDENTS, f"{job_id}-incidents")
    return read(query.limit, query.cursor)
