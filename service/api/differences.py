"""The difference of two points over REST."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.context import Context
from service.api.csv_answers import csv_table, wants_csv
from service.api.ids import OtherPointId, PointId
from service.api.queries import TableForm
from service.differences.reading import difference_of
from service.differences.views import PointDifferenceView

router = APIRouter(prefix="/v1", tags=["points"])


@router.get("/points/{point_id}/difference/{other_id}", response_model=PointDifferenceView)
def difference(
    context: Context, point_id: PointId, other_id: OtherPointId, query: TableForm, request: Request
) -> PointDifferenceView | Response:
    """Two points layer by layer; every difference is the other one minus the first. As CSV, the layers."""
    with context.store.unit() as unit:
        found = difference_of(unit, point_id, other_id)
    csv = wants_csv(query.format, request)
    return csv_table(found.layers, tables.DIFFERENCES, f"{point_id}-{other_id}") if csv else found
