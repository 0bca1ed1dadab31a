"""Several limits at once over REST: the best point that keeps them, or the nearest one."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.context import Context
from service.api.errors import InvalidFieldsError
from service.api.ids import JobId
from service.api.queries import Fit
from service.fit.answer import fit_of
from service.fit.views import FitView
from service.problem import FieldError

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["fronts"])


@router.get("/fit")
def fit(context: Context, job_id: JobId, query: Fit) -> FitView:
    """The best point that keeps every limit; else the nearest, by how much it misses, what to search next."""
    maxima = {name: value for name, value in query.model_dump().items() if value is not None}
    if not maxima:
        names = ", ".join(type(query).model_fields)
        missing = FieldError(detail="no limit is given.", fix=f"Give one or more of {names}.", code="missing")
        raise InvalidFieldsError([missing])
    with context.store.unit() as unit:
        source = unit.fits.source(job_id, maxima)
    return fit_of(job_id, source)
