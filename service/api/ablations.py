"""Ablations over REST: submit one, list them, look at one as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response

from models.errors import BitfrontError
from search.ablation import AblationSpec, Variant, ablation_variants
from search.job import JobSpec
from service.ablations.table import ablation_csv
from service.ablations.views import AblationView
from service.api import tables
from service.api.body import JsonBytes, parse_as
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_answer, csv_listing, wants_csv
from service.api.ids import AblationId
from service.api.jobs import IdempotencyKey, checked_key, view_of_plan
from service.api.queries import Pages, TableForm
from service.store.ablations import JobPlanned
from service.views import Page

router = APIRouter(prefix="/v1/ablations", tags=["ablations"])
_SCHEMA = {"type": "object", "description": "A job to vary, and groups; docs/ablations.md lists them."}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}
}


@router.post("", status_code=202, openapi_extra=_BODY)
def submit(
    context: Context, raw: JsonBytes, response: Response, idempotency_key: IdempotencyKey = None
) -> AblationView:
    """Check an ablation in full, then store it with all its jobs, or nothing of it."""
    key = checked_key(idempotency_key)
    spec = parse_as(AblationSpec, raw)
    variants, plans = _planned(context, spec)
    with context.store.unit() as unit:
        ablation, created = unit.ablations.submit(spec, variants, plans=plans, idempotency_key=key)
    response.headers["Location"] = f"/v1/ablations/{ablation.id}"
    if not created:
        response.headers["Idempotent-Replayed"] = "true"
    return ablation


@router.get("", response_model=Page[AblationView])
def listing(context: Context, query: Pages, request: Request) -> Page[AblationView] | Response:
    """Ablations, newest first, without their groups."""

    def read(limit: int, cursor: str | None) -> Page[AblationView]:
        with context.store.unit() as unit:
            return unit.ablations.page(limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.ABLATIONS, "ablations")
    return read(query.limit, query.cursor)


@router.get("/{ablation_id}", response_model=AblationView)
def one(
    context: Context, ablation_id: AblationId, query: TableForm, request: Request
) -> AblationView | Response:
    """An ablation: every variant under every budget, with the spread over seeds."""
    with context.store.unit() as unit:
        found = unit.ablations.get(ablation_id)
    if not wants_csv(query.format, request):
        return found
    return csv_answer(ablation_csv(found), found.id)


def _planned(context: ApiContext, spec: AblationSpec) -> tuple[Sequence[Variant], Mapping[str, JobPlanned]]:
    """The variants and, by digest, the plans of their jobs. Raises what planning raises, within `/job`."""
    with _within_job():
        base = context.catalogue.plan(spec.job, context.settings.data)
        variants = ablation_variants(spec, base.layers)
        jobs = {job.digest(): job for variant in variants for job in variant.jobs}
        return variants, {digest: _plan(context, job) for digest, job in jobs.items()}


def _plan(context: ApiContext, job: JobSpec) -> JobPlanned:
    view = view_of_plan(job, context.catalogue.plan(job, context.settings.data))
    return JobPlanned(trials=view.trials, plan=view.model_dump(mode="json"))


@contextmanager
def _within_job() -> Iterator[None]:
    """Pointers into a job become pointers into the body, where the job is one field."""
    try:
        yield
    except BitfrontError as error:
        error.pointer = f"/job{error.pointer}"
        raise
