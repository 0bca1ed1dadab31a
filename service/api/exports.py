"""The integer export of a point over REST, as one archive."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from models.errors import CheckpointDamagedError
from service.api.context import Context
from service.api.errors import HttpError
from service.api.ids import PointId
from service.api.points import kept
from service.views import PointView

router = APIRouter(prefix="/v1", tags=["points"])
SHA256_HEADER = "X-Export-SHA256"


@router.get("/points/{point_id}/export", response_class=Response)
def export(context: Context, point_id: PointId) -> Response:
    """The integer export of a point as a ZIP archive; a header carries its SHA-256."""
    from models.export import archive_of, contents_of
    from workers.exporting import TrainedPoint, export_point

    stored, path = kept(context, point_id)
    point = TrainedPoint(
        spec=stored.spec,
        proposal=stored.proposal,
        checkpoint=path,
        checkpoint_sha256=stored.checkpoint_sha256,
    )
    try:
        found = export_point(point, context.settings.data, facts_of(stored))
    except CheckpointDamagedError as error:
        fix = f"Train it again with: bitfront rerun {point_id}."
        raise HttpError(409, error.code, error.message, fix=fix) from error
    content = archive_of(contents_of(found))
    headers = {
        SHA256_HEADER: hashlib.sha256(content).hexdigest(),
        "Content-Disposition": f'attachment; filename="{point_id}-integers.zip"',
    }
    return Response(content, media_type="application/zip", headers=headers)


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
