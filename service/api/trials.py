"""Trials over REST."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.context import Context
from service.api.filters import check_study
from service.api.ids import JobId, TrialId
from service.api.queries import TrialPages
from service.views import Page, TrialView

router = APIRouter(prefix="/v1", tags=["trials"])


@router.get("/jobs/{job_id}/trials")
def listing(context: Context, job_id: JobId, query: TrialPages) -> Page[TrialView]:
    """The trials of a job, without their learning curves."""
    with context.store.unit() as unit:
        check_study(unit.jobs.get(job_id), query.method, query.seed)
        return unit.trials.page(
            job_id,
            limit=query.limit,
            cursor=query.cursor,
            state=query.state,
            method=query.method,
            seed=query.seed,
        )


@router.get("/trials/{trial_id}")
def one(context: Context, trial_id: TrialId) -> TrialView:
    """A trial with its learning curve, attempts and points."""
    with context.store.unit() as unit:
        return unit.trials.get(trial_id)
