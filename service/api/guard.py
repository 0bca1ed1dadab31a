"""Keeps other web sites out: of a service without keys, and of the session of a browser that signed in.

A browser on this machine may be led to call it: by a page elsewhere that posts to it (it names itself in
`Origin`), or by a foreign name that resolves to a loopback address (it stands in `Host`). Both are refused.
Beyond loopback every call needs a key, which such a name does not bring along, so any `Host` will do there.
"""

from __future__ import annotations

from starlette.datastructures import URL, Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.errors import HttpError
from service.api.problems import problem_of, problem_response
from service.settings import Settings, is_loopback

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginGuard:
    """ASGI layer that answers 403 to requests made in the name of another site."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._public = URL(settings.public_url or "")
        self._any_host = not is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await problem_response(problem_of(refusal, scope["path"]))(scope, receive, send)

    def _refusal(self, scope: Scope) -> HttpError | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not (self._any_host or is_loopback(host_name(host)) or host.lower() == self._public.netloc != ""):
            fix = "Use 127.0.0.1 or localhost, or set BITFRONT_PUBLIC_URL."
            return HttpError(403, "foreign_host", f"the request is for the host {host!r}.", fix=fix)
        own = {f"{scope['scheme']}://{host}", f"{self._public.scheme}://{self._public.netloc}"}
        if scope["method"] in READING or origin is None or origin in own:
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
