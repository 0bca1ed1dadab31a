"""Batches of jobs over REST: submit one, list them, look at one (and wait for it), cancel it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from service.ablations.views import ENDED_ABLATION_STATES
from service.api import tables
from service.api.batch_jobs import checked_jobs
from service.api.body import JsonBytes, parse_as
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_listing, wants_csv
from service.api.ids import BatchId
from service.api.jobs import IdempotencyKey, checked_key
from service.api.queries import Pages, Wait
from service.api.waiting import answer_once
from service.batches.spec import BatchSpec
from service.batches.views import BatchView
from service.views import Page

router = APIRouter(prefix="/v1/job-batches", tags=["batches"])
_SCHEMA = {
    "type": "object",
    "description": "A template and a grid, a list of jobs, or both; docs/api.md says how they go together.",
    "properties": {
        "name": {"type": "string"},
        "template": {"type": "object"},
        "grid": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
        "jobs": {"type": "array", "items": {"type": "object"}},
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}
}


@router.post("", status_code=202, openapi_extra=_BODY)
def submit(
    context: Context, raw: JsonBytes, response: Response, idempotency_key: IdempotencyKey = None
) -> BatchView:
    """Check every job of a batch in full, then store all of them in one transaction, or none."""
    key = checked_key(idempotency_key)
    spec = parse_as(BatchSpec, raw)
    jobs = checked_jobs(context, spec)
    name = spec.name or str(spec.template.get("name") or jobs[0][0].spec.name)
    with context.store.unit() as unit:
        batch, created = unit.batches.submit(spec, name, jobs, idempotency_key=key)
    response.headers["Location"] = f"/v1/job-batches/{batch.id}"
    if not created:
        response.headers["Idempotent-Replayed"] = "true"
    return batch


@router.get("", response_model=Page[BatchView])
def listing(context: Context, query: Pages, request: Request) -> Page[BatchView] | Response:
    """Batches, newest first, without their specs."""

    def read(limit: int, cursor: str | None) -> Page[BatchView]:
        with context.store.unit() as unit:
            return unit.batches.page(limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.BATCHES, "batches")
    return read(query.limit, query.cursor)


@router.get("/{batch_id}")
async def one(context: Context, batch_id: BatchId, query: Wait, request: Request) -> BatchView:
    """A batch and its progress; with `wait`, not before all its jobs have ended or the time is over."""
    return await answer_once(
        context,
        request,
        wait=query.wait,
        read=lambda: read_batch(context, batch_id),
        ended=lambda batch: batch.state in ENDED_ABLATION_STATES,
    )


@router.post("/{batch_id}/cancel")
def cancel(context: Context, batch_id: BatchId) -> BatchView:
    """Ask every job of a batch to end; what they found stays. Asking again changes nothing."""
    with context.store.unit() as unit:
        return unit.batches.cancel(batch_id)


def read_batch(context: ApiContext, batch_id: str) -> BatchView:
    """A batch in a transaction of its own."""
    with context.store.unit() as unit:
        return unit.batches.get(batch_id)
