"""The comparison of a job over REST, as JSON or CSV."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from search.job import JobSpec
from service.api.context import Context
from service.api.csv_answers import csv_answer, wants_csv
from service.api.filters import check_subject
from service.api.ids import JobId
from service.api.queries import ComparisonChoice
from service.comparison.results import comparison_of
from service.comparison.table import comparison_csv
from service.comparison.views import ComparisonView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["comparisons"])


@router.get("/comparison", response_model=ComparisonView)
def comparison(
    context: Context, job_id: JobId, query: ComparisonChoice, request: Request
) -> ComparisonView | Response:
    """One method of a job against the others: hypervolume, accuracy at each budget, paired differences."""
    with context.store.unit() as unit:
        job = unit.jobs.get(job_id)
        check_subject(job, query.subject)
        studies = unit.comparisons.studies(job_id)
    spec = JobSpec.model_validate(job.spec)
    found = comparison_of(job_id, spec, studies, subject=query.subject, accuracy=query.accuracy)
    return _as_csv(found) if wants_csv(query.format, request) else found


def _as_csv(found: ComparisonView) -> Response:
    return csv_answer(comparison_csv(found), f"{found.job_id}-comparison")
