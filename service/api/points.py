"""Points over REST, and the checkpoint of each."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from models.errors import CheckpointDamagedError
from service.api import tables
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_listing, csv_table, wants_csv
from service.api.errors import HttpError
from service.api.ids import JobId, PointId
from service.api.queries import Pages, TableForm
from service.point_layers import PointLayerView, layers_of
from service.views import Page, PointView
from workers.checkpoints import read_checked
from workers.places import Stored

router = APIRouter(prefix="/v1", tags=["points"])
SHA256_HEADER = "X-Checkpoint-SHA256"
FIX = "Train it again with: bitfront rerun {} --on-service, which puts it back."


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


@router.get("/points/{point_id}/layers", response_model=list[PointLayerView])
def layers(
    context: Context, point_id: PointId, query: TableForm, request: Request
) -> list[PointLayerView] | Response:
    """Each layer of a point: its bits, what it costs, and its share of all bit operations."""
    with context.store.unit() as unit:
        found = layers_of(unit.points.get(point_id))
    csv = wants_csv(query.format, request)
    return csv_table(found, tables.POINT_LAYERS, f"{point_id}-layers") if csv else found


@router.get("/points/{point_id}/checkpoint", response_class=Response)
def checkpoint(context: Context, point_id: PointId) -> Response:
    """The weights of a point as safetensors; a header carries the SHA-256 that was recorded with it."""
    point, file = kept(context, point_id)
    try:
        content = read_checked(file, point.checkpoint_sha256)
    except CheckpointDamagedError as error:
        raise damaged(point_id, error) from error
    headers = {
        SHA256_HEADER: point.checkpoint_sha256,
        "Content-Disposition": f'attachment; filename="{point_id}.safetensors"',
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def kept(context: ApiContext, point_id: str) -> tuple[PointView, Stored]:
    """A point and its checkpoint. Raises HttpError checkpoint_gone, and StorageError."""
    with context.store.unit() as unit:
        trial_id, name = unit.points.checkpoint(point_id)
        point = unit.points.get(point_id)
    file = Stored(place=context.settings.checkpoint_place.child(trial_id), name=name)
    if name not in file.place.names():
        raise HttpError(
            404,
            "checkpoint_gone",
            f"the checkpoint of {point_id} is not there: those that no front needs are removed.",
            fix=FIX.format(point_id),
        )
    return point, file


def damaged(point_id: str, error: CheckpointDamagedError) -> HttpError:
    """The answer where the checkpoint of a point is not what was recorded."""
    return HttpError(409, error.code, error.message, fix=FIX.format(point_id))
