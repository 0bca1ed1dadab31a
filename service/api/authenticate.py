"""The layer that asks every call for a key, whatever route it is for: a route that is new is closed."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.access import Gate
from service.api.errors import HttpError
from service.api.problems import problem_of, problem_response

OPEN = frozenset({"/livez", "/readyz", "/sign-in", "/sign-out"})
"""They say nothing of anybody's work, or lead to a key."""
OPEN_FOLDER = "/static/"
FOR_PROGRAMS = ("/v1/", "/metrics")


class Authenticate:
    """ASGI layer that puts the caller into the state of a request, or answers in the service's stead."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN or scope["path"].startswith(OPEN_FOLDER):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            caller = await run_in_threadpool(self.gate.admit, request)
        except HttpError as error:
            await _refusal(request, error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)


def is_for_programs(path: str) -> bool:
    """Whether programs call it, which read problems; the rest are pages."""
    return path.startswith(FOR_PROGRAMS)


def _refusal(request: Request, error: HttpError) -> Response:
    """A problem; a person who looks at a page is led to sign in."""
    path = request.url.path
    reads = request.method == "GET"
    looks = reads or "text/html" in request.headers.get("accept", "")  # or sends a form
    if error.status == 401 and looks and not is_for_programs(path):
        wanted = path + (f"?{request.url.query}" if request.url.query else "") if reads else "/"
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
    return problem_response(problem_of(error, path), error.headers)
