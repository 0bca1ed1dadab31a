"""Uploads over REST: bring a data set or weights, look at what there is, take one away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.api import tables
from service.api.context import ApiContext, Context, Operations
from service.api.csv_answers import csv_listing, wants_csv
from service.api.errors import HttpError
from service.api.ids import UploadId
from service.api.queries import Pages
from service.uploads.receiving import path_of, receive
from service.uploads.views import UploadKind, UploadView
from service.views import Page

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])
MEDIA_TYPE = "application/octet-stream"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
Kind = Annotated[UploadKind, Query(description="A data set as .npz, or float weights as .safetensors.")]
Name = Annotated[str, Query(max_length=200, description="What you call it; it changes nothing.")]


@router.post("", status_code=201, openapi_extra=_BODY)
async def create(
    context: Context, request: Request, response: Response, kind: Kind, name: Name = ""
) -> UploadView:
    """Keep the file that is the body. The same content again is the upload that is there, with 200."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != MEDIA_TYPE:
        raise HttpError(
            415,
            "unsupported_media_type",
            f"the body is declared as {declared or 'nothing'}.",
            fix=f"Send the bytes of the file with the header Content-Type: {MEDIA_TYPE}.",
        )
    found, new = await receive(context.store, context.settings.data, request.stream(), kind=kind, name=name)
    response.headers["Location"] = f"/v1/uploads/{found.id}"
    response.status_code = 201 if new else 200
    return found


@router.get("", response_model=Page[UploadView])
def listing(context: Context, query: Pages, request: Request) -> Page[UploadView] | Response:
    """The uploads of the workspace, newest first."""

    def read(limit: int, cursor: str | None) -> Page[UploadView]:
        with context.store.unit() as unit:
            return unit.uploads.page(limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.UPLOADS, "uploads")
    return read(query.limit, query.cursor)


@router.get("/{upload_id}")
def one(context: Context, upload_id: UploadId) -> UploadView:
    """An upload."""
    with context.store.unit() as unit:
        return unit.uploads.get(upload_id)


@router.delete("/{upload_id}", status_code=204)
def forget(context: Context, operations: Operations, upload_id: UploadId) -> None:
    """Take an upload away, unless a job that has not ended names it; to rerun a point needs it again."""
    take_away(context, operations, upload_id)


def take_away(context: ApiContext, operations: ApiContext, upload_id: str) -> None:
    """Forget an upload of the caller's workspace, and its file where no other has it. Raises as the store."""
    with context.store.unit() as unit:
        gone = unit.uploads.forget(upload_id)
    with operations.store.unit() as unit:
        elsewhere = upload_id in unit.uploads.ids()
    if not elsewhere:
        path_of(gone.id, gone.kind, context.settings.data).unlink(missing_ok=True)
