"""Labels of a job over REST, and a new job from one that is there."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Response
from pydantic import RootModel

from service.api.body import JsonBytes, checked_json, parse_as
from service.api.context import Context
from service.api.ids import JobId
from service.api.jobs import IdempotencyKey, checked_key, store_job
from service.api.submission import JobSubmission
from service.batches.patch import patched
from service.labels import LabelChanges
from service.views import JobView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])


class LabelsPatch(RootModel[LabelChanges]):
    """Labels by key: a new value each, or null to take it away."""


class JobPatch(RootModel[dict[str, Any]]):
    """A JSON merge patch of a job."""


def _body(description: str) -> dict[str, Any]:
    schema = {"type": "object", "description": description}
    return {
        "requestBody": {"required": True, "content": {"application/merge-patch+json": {"schema": schema}}}
    }


@router.patch("/labels", openapi_extra=_body("New values by key; null takes a label away."))
def change_labels(context: Context, job_id: JobId, raw: JsonBytes) -> JobView:
    """Change the labels of a job, also of one that has ended; nothing else of it changes."""
    changes = parse_as(LabelsPatch, raw).root
    with context.store.unit() as unit:
        return unit.jobs.set_labels(job_id, changes)


@router.post("/clone", status_code=202, openapi_extra=_body("A merge patch (RFC 7396) of the job."))
def clone(
    context: Context,
    job_id: JobId,
    raw: JsonBytes,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> JobView:
    """Submit a job anew with some fields changed; pointers of problems are into the job that results."""
    key = checked_key(idempotency_key)
    patch = parse_as(JobPatch, raw).root
    with context.store.unit() as unit:
        job = unit.jobs.get(job_id)
    document = patched({**job.spec, "labels": job.labels, "priority": job.priority}, patch)
    submission = checked_json(JobSubmission, json.dumps(document).encode())
    return store_job(context, submission, key, response)
