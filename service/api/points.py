"""Points over REST, and the checkpoint of each."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from service.api import tables
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_listing, wants_csv
from service.api.errors import HttpError
from service.api.ids import JobId, OtherPointId, PointId
from service.api.queries import Pages
from service.difference.subtract import difference_of
from service.difference.views import PointDifferenceView
from service.views import Page, PointView

router = APIRouter(prefix="/v1", tags=["points"])
SHA256_HEADER = "X-Checkpoint-SHA256"


@router.get("/jobs/{job_id}/points", response_model=Page[PointView])
def listing(context: Context, job_id: JobId, query: Pages, request: Request) -> Page[PointView] | Response:
    """Every point of a job, feasible or not."""

    def read(limit: int, cursor: str | None) -> Page[PointView]:
        with context.store.unit() as unit:
            return unit.points.page(job_id, limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.POINTS, f"{job_id}-points")
    return read(query.limit, query.cursor)


@router.get("/points/{point_id}")
def one(context: Context, point_id: PointId) -> PointView:
    """A point with everything that makes it reproducible."""
    with context.store.unit() as unit:
        return unit.points.get(point_id)


@router.get("/points/{point_id}/difference/{other_id}")
def difference(context: Context, point_id: PointId, other_id: OtherPointId) -> PointDifferenceView:
    """What changes from a point to another: bits of each layer, measures and costs."""
    with context.store.unit() as unit:
        return difference_of(unit.points.get(point_id), unit.points.get(other_id))


@router.get("/points/{point_id}/checkpoint", response_class=FileResponse)
def checkpoint(context: Context, point_id: PointId) -> FileResponse:
    """The weights of a point as safetensors; a header carries the SHA-256 that was recorded with it."""
    point, path = kept(context, point_id)
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=f"{point_id}.safetensors",
        headers={SHA256_HEADER: point.checkpoint_sha256},
    )


def kept(context: ApiContext, point_id: str) -> tuple[PointView, Path]:
    """A point and its checkpoint. Raises HttpError checkpoint_gone."""
    with context.store.unit() as unit:
        trial_id, name = unit.points.checkpoint(point_id)
        point = unit.points.get(point_id)
    path = context.settings.checkpoints / trial_id / name
    if not path.is_file():
        raise HttpError(
            404,
            "checkpoint_gone",
            f"the checkpoint of {point_id} is no longer there.",
            fix=f"Train it again with: bitfront rerun {point_id}.",
        )
    return point, path
