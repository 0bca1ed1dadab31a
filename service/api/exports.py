"""The export of a point over REST, as one archive: integers, NIR or ONNX."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from fastapi import APIRouter
from starlette.responses import Response

from models.errors import CheckpointDamagedError
from service.api.context import Context
from service.api.ids import PointId
from service.api.points import damaged, kept
from service.api.queries import ExportForm, ExportQuery
from service.views import PointView

if TYPE_CHECKING:
    from models.export.files import Contents
    from workers.exporting import TrainedPoint

router = APIRouter(prefix="/v1", tags=["points"])
SHA256_HEADER = "X-Export-SHA256"


@router.get("/points/{point_id}/export", response_class=Response)
def export(context: Context, point_id: PointId, query: ExportForm) -> Response:
    """An export of a point as a ZIP archive; a header carries its SHA-256."""
    from models.export import archive_of
    from workers.exporting import TrainedPoint

    stored, file = kept(context, point_id)
    point = TrainedPoint(
        spec=stored.spec,
        proposal=stored.proposal,
        checkpoint=file,
        checkpoint_sha256=stored.checkpoint_sha256,
    )
    try:
        contents = _contents(query, point, context.settings.data, facts_of(stored))
    except CheckpointDamagedError as error:
        raise damaged(point_id, error) from error
    content = archive_of(contents)
    headers = {
        SHA256_HEADER: hashlib.sha256(content).hexdigest(),
        "Content-Disposition": f'attachment; filename="{point_id}-{query.format}.zip"',
    }
    return Response(content, media_type="application/zip", headers=headers)


def _contents(query: ExportQuery, point: TrainedPoint, data: Path, facts: dict[str, Any]) -> Contents:
    from models.export import contents_of
    from workers.exporting import export_point, point_as

    match query.format:
        case "integers":
            return contents_of(export_point(point, data, facts))
        case "nir" | "onnx":
            return point_as(query.format, point, data, facts)
        case _:
            assert_never(query.format)


def facts_of(point: PointView) -> dict[str, Any]:
    """What an export says of the point that it was made from."""
    return {
        "point": point.id,
        "trial": point.trial_id,
        "job": point.job_id,
        "method": point.method,
        "seed": point.seed,
        "accuracy": {"validation": point.validation_accuracy, "test": point.test_accuracy},
        "costs": point.costs,
        "cost_versions": point.cost_versions,
        "checkpoint_sha256": point.checkpoint_sha256,
        "provenance": point.provenance,
        "spec": point.spec,
        "proposal": point.proposal,
    }
