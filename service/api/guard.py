"""Keeps other web sites out of a service that has no keys.

A browser on this machine may be led to call it: by a page elsewhere that posts to it (it names itself in
`Origin`), or by a foreign name that resolves to a loopback address (it stands in `Host`). Both are refused.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.errors import HttpError
from service.api.problems import problem_of, problem_response
from service.settings import is_loopback

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginGuard:
    """ASGI layer that answers 403 to requests made in the name of another site."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await problem_response(problem_of(refusal, scope["path"]))(scope, receive, send)


def _refusal(scope: Scope) -> HttpError | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not is_loopback(host_name(host)):
        return HttpError(
            403, "foreign_host", f"the request is for the host {host!r}.", fix="Use 127.0.0.1 or localhost."
        )
    origin = headers.get("origin")
    if scope["method"] in READING or origin is None or origin == f"{scope['scheme']}://{host}":
        return None
    return HttpError(
        403,
        "foreign_origin",
        f"the request was made by a page of {origin!r}.",
        fix="Use the service's own pages.",
    )


def host_name(host: str) -> str:
    """The name in a Host header, without the port; brackets of an IPv6 address are kept."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
