"""The page of uploads: those there are, a form that brings one, and a button that takes one away.

The form needs a script, which sends the file to `POST /v1/uploads` as any client does; without one the page
says how the command line does it.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.errors import BitfrontError
from service.api.context import ApiContext, Context, Operations
from service.api.ids import UploadId
from service.api.problems import status_of
from service.api.uploads import take_away
from service.uploads.views import UploadView
from service.web.forms import Fields
from service.web.rendering import Renderer

HOME = "/uploads"
SHOWN = 50
FIELDS = {"dataset": "/dataset/name", "weights": "/training/warm_start"}
"""The field of a job that names an upload of each kind."""


def uploads_page(renderer: Renderer) -> APIRouter:
    """The router."""
    router = APIRouter(prefix=HOME, include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("")
    def listing(context: Context, cursor: str | None = None) -> Response:
        try:
            return _listing(renderer, context, cursor)
        except BitfrontError as error:
            shown = {"title": "Not a page", "error": error, "caller": context.caller}
            return renderer.page("missing.html", shown, status=status_of(error))

    @router.post("/{upload_id}/forget")
    def forget(context: Context, operations: Operations, fields: Fields, upload_id: UploadId) -> Response:
        try:
            take_away(context, operations, upload_id)
        except BitfrontError as error:
            return _listing(renderer, context, None, error=error)
        return RedirectResponse(HOME, status_code=303)

    return router


def _listing(
    renderer: Renderer, context: ApiContext, cursor: str | None, *, error: BitfrontError | None = None
) -> Response:
    with context.store.unit() as unit:
        page = unit.uploads.page(limit=SHOWN, cursor=cursor)
    shown = {
        "caller": context.caller,
        "page": page,
        "first": cursor is None,
        "most_bytes": context.settings.max_upload_bytes,
        "job_with": job_with,
        "error": error,
    }
    return renderer.page("uploads.html", shown, status=200 if error is None else status_of(error))


def job_with(upload: UploadView) -> str:
    """The address of the form of a new job that names an upload."""
    return f"/jobs/new?{quote(FIELDS[upload.kind], safe='')}={upload.id}"
