"""Jobs over REST: submit, list, look at (and wait for), cancel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from search.job import JobSpec
from service.api import tables
from service.api.body import JsonBytes, parse_as
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_listing, wants_csv
from service.api.errors import InvalidFieldsError
from service.api.filters import chosen_labels
from service.api.ids import JobId
from service.api.queries import JobPages, Submission, Wait
from service.api.submission import JobSubmission
from service.api.waiting import answer_once
from service.problem import FieldError
from service.views import ENDED_JOB_STATES, JobView, LayerView, Page, PlanView

if TYPE_CHECKING:
    from workers.planning import JobPlan

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
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
    submission = parse_as(JobSubmission, raw)
    if query.validate_only:
        response.status_code = 200
        return planned(context, submission)
    return store_job(context, submission, key, response)


def planned(context: ApiContext, submission: JobSubmission) -> PlanView:
    """The plan of a job, of which nothing is stored. Raises as the submission of the job would."""
    spec = submission.job()
    return view_of_plan(spec, context.catalogue.plan(spec, context.settings.data))


def store_job(context: ApiContext, submission: JobSubmission, key: str | None, response: Response) -> JobView:
    """Plan a job and store it, and say in the headers of the answer where it is."""
    spec = submission.job()
    plan = context.catalogue.plan(spec, context.settings.data)
    view = view_of_plan(spec, plan)
    with context.store.unit() as unit:
        job, created = unit.jobs.submit(
            spec,
            trials_planned=view.trials,
            plan=stored_plan(view, plan),
            idempotency_key=key,
            labels=submission.labels,
            priority=submission.priority,
        )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    if not created:
        response.headers["Idempotent-Replayed"] = "true"
    return job


@router.get("", response_model=Page[JobView])
def listing(context: Context, query: JobPages, request: Request) -> Page[JobView] | Response:
    """Jobs, newest first."""
    labels = chosen_labels(query.label)

    def read(limit: int, cursor: str | None) -> Page[JobView]:
        with context.store.unit() as unit:
            if query.batch is not None:
                unit.batches.require(query.batch)
            return unit.jobs.page(
                limit=limit, cursor=cursor, state=query.state, batch=query.batch, labels=labels
            )

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.JOBS, "jobs")
    return read(query.limit, query.cursor)


@router.get("/{job_id}")
async def one(context: Context, job_id: JobId, query: Wait, request: Request) -> JobView:
    """A job; with `wait`, not before it has ended or that many seconds are over."""
    return await answer_once(
        context,
        request,
        wait=query.wait,
        read=lambda: read_job(context, job_id),
        ended=lambda job: job.state in ENDED_JOB_STATES,
    )


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
