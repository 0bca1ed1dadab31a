"""The outermost layer: gives each request an id, logs and counts it, adds the security headers, and turns an
error that nobody foresaw into a problem without internals."""

from __future__ import annotations

import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import Metrics
from service.api.problems import internal_problem, problem_response

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECURITY_HEADERS = {
    # Charts show tooltips with style attributes; scripts come from files of the service only.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Observe:
    """ASGI layer around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self.log = structlog.get_logger("bitfront.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        begun = time.monotonic()
        try:
            await self.app(scope, receive, answer.send)
        except Exception:
            self.log.exception("unexpected error", request_id=answer.request_id, path=scope["path"])
            if answer.status:
                raise  # half an answer is out already: the connection has to break
            await problem_response(internal_problem(scope["path"]))(scope, receive, answer.send)
        finally:
            self._record(scope, answer, time.monotonic() - begun)

    def _record(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
        self.metrics.answered(method=method, route=_route(scope), status=answer.status, seconds=seconds)
        self.log.info(
            "request",
            request_id=answer.request_id,
            method=method,
            path=scope["path"],
            status=answer.status,
            seconds=round(seconds, 4),
            key=getattr(scope.get("state", {}).get("caller"), "key_id", None),
        )


class _Answer:
    """Adds headers to the answer on its way out and remembers its status; 0 until it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request_id = uuid.uuid4().hex[:16]
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _route(scope: Scope) -> str:
    """The path of the route with its parameters unfilled: no more of them than there are routes."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    return str(path) if path else "unmatched"
