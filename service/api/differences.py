"""The difference of two points over REST."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.context import Context
from service.api.ids import OtherPointId, PointId
from service.differences.reading import difference_of
from service.differences.views import PointDifferenceView

router = APIRouter(prefix="/v1", tags=["points"])


@router.get("/points/{point_id}/difference/{other_id}")
def difference(context: Context, point_id: PointId, other_id: OtherPointId) -> PointDifferenceView:
    """Two points layer by layer; every difference is the other one minus the first."""
    with context.store.unit() as unit:
        return difference_of(unit, point_id, other_id)
