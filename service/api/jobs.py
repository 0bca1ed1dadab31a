"""Jobs over REST: submit, list, look at (and wait for), cancel."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from search.job import JobSpec
from service.api.body import JsonBytes, parse_spec
from service.api.context import ApiContext, Context
from service.api.errors import InvalidFieldsError
from service.api.ids import JobId
from service.api.queries import JobPages, Submission, Wait
from service.problem import FieldError
from service.views import ENDED_JOB_STATES, JobView, LayerView, Page, PlanView

if TYPE_CHECKING:
    from workers.planning import JobPlan

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
POLL_SECONDS = 0.5
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_JOB_SCHEMA = {"type": "object", "description": "A job; docs/api.md lists its fields."}
_JOB_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _JOB_SCHEMA}}}
}
IdempotencyKey = Annotated[str | None, Header()]


@router.post("", status_code=202, response_model=JobView | PlanView, openapi_extra=_JOB_BODY)
def submit(
    context: Context,
    raw: JsonBytes,
    query: Submission,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> JobView | PlanView:
    """Check a job in full, then store it: 202 means that it will survive any crash."""
    key = checked_key(idempotency_key)
    spec = parse_spec(raw)
    plan = context.catalogue.plan(spec, context.settings.data)
    view = view_of_plan(spec, plan)
    if query.validate_only:
        response.status_code = 200
        return view
    with context.store.unit() as unit:
        job, created = unit.jobs.submit(
            spec, trials_planned=view.trials, plan=stored_plan(view, plan), idempotency_key=key
        )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    if not created:
        response.headers["Idempotent-Replayed"] = "true"
    return job


@router.get("")
def listing(context: Context, query: JobPages) -> Page[JobView]:
    """Jobs, newest first."""
    with context.store.unit() as unit:
        return unit.jobs.page(limit=query.limit, cursor=query.cursor, state=query.state)


@router.get("/{job_id}")
async def one(context: Context, job_id: JobId, query: Wait, request: Request) -> JobView:
    """A job; with `wait`, not before it has ended or that many seconds are over."""
    until = time.monotonic() + query.wait
    while True:
        job = await run_in_threadpool(read_job, context, job_id)
        left = until - time.monotonic()
        if left <= 0 or job.state in ENDED_JOB_STATES or context.stopping.is_set():
            return job
        if await request.is_disconnected():
            return job
        await asyncio.sleep(min(POLL_SECONDS, left))


@router.post("/{job_id}/cancel")
def cancel(context: Context, job_id: JobId) -> JobView:
    """Ask a job to end; its points so far stay. Asking again changes nothing."""
    with context.store.unit() as unit:
        return unit.jobs.request_cancel(job_id)


def read_job(context: ApiContext, job_id: str) -> JobView:
    """A job in a transaction of its own."""
    with context.store.unit() as unit:
        return unit.jobs.get(job_id)


def view_of_plan(spec: JobSpec, plan: JobPlan) -> PlanView:
    """A plan as people see it."""
    studies, architectures = len(spec.all_methods()) * len(spec.seeds), spec.architectures()
    return PlanView(
        valid=True,
        architectures=len(architectures),
        settings=dict(architectures[0]),
        layers=[_layer_view(layer) for layer in plan.layers],
        costs=dict(plan.cost_ranges),
        trials=studies * spec.compute.trials_per_study,
        samples_per_study=spec.compute.trials_per_study * plan.samples_per_trial,
    )


def stored_plan(view: PlanView, plan: JobPlan) -> dict[str, Any]:
    """What a job keeps of its plan: beside what people see, the layer table of every architecture."""
    tables = [
        {"settings": dict(chosen), "layers": [_layer_view(layer).model_dump(mode="json") for layer in layers]}
        for chosen, layers in plan.tables.items()
    ]
    return {**view.model_dump(mode="json"), **({"tables": tables} if tables else {})}


def _layer_view(layer: Any) -> LayerView:
    return LayerView(
        name=layer.name,
        kind=layer.kind,
        macs=layer.macs,
        weights=layer.weights,
        inputs=layer.inputs,
        biases=layer.biases,
        searched=layer.fixed is None,
        partner=layer.partner,
        fixed=None if layer.fixed is None else layer.fixed.to_json(),
    )


def checked_key(key: str | None) -> str | None:
    """An idempotency key, if it can be one. Raises InvalidFieldsError otherwise."""
    if key is None or _KEY.fullmatch(key):
        return key
    error = FieldError(
        parameter="Idempotency-Key",
        detail="the key is empty, too long or has characters that cannot be seen.",
        fix="Use 1 to 255 visible ASCII characters.",
        code="invalid_idempotency_key",
    )
    raise InvalidFieldsError([error])
