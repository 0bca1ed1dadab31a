"""The outermost layer: gives each request an id and a trace, logs and counts it, adds the security headers,
and turns an error that nobody foresaw into a problem without internals."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.authenticate import is_for_programs
from service.api.errors import HttpError
from service.api.metrics import Metrics
from service.api.problems import RETRY_SECONDS, internal_problem, problem_of, problem_response
from service.trace import trace_of
from workers.places import is_full

FULL = ("database or disk is full", "disk I/O error", "No space left on device")
"""What SQLite and PostgreSQL say where a write found no room."""
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
    """ASGI layer around everything else; `refusal` is the page that tells a person of an error."""

    def __init__(self, app: ASGIApp, metrics: Metrics, refusal: Callable[[HttpError], Response]) -> None:
        self.app = app
        self.metrics = metrics
        self.refusal = refusal
        self.log = structlog.get_logger("bitfront.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = trace_of(Headers(scope=scope).get("traceparent"))
        scope.setdefault("state", {})["trace_id"] = trace_id
        answer = _Answer(send, trace_id)
        with structlog.contextvars.bound_contextvars(request_id=answer.request_id, trace_id=trace_id):
            await self._serve(scope, receive, answer)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        begun = time.monotonic()
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            self.log.exception("unexpected error", path=scope["path"])
            if answer.status:
                raise  # half an answer is out already: the connection has to break
            await self._failure(error, scope["path"])(scope, receive, answer.send)
        finally:
            self._record(scope, answer, time.monotonic() - begun)

    def _failure(self, error: Exception, path: str) -> Response:
        if not isinstance(error, OperationalError):
            return problem_response(internal_problem(path))
        fix = "Ask again soon; the log of the service says what the database answers."
        full = is_full(error.orig) or any(words in str(error.orig) for words in FULL)
        gone = HttpError(
            503,
            "storage_unavailable" if full else "database_unavailable",
            "the database has no room to write." if full else "the database cannot be reached.",
            fix="Free space on its disk; nothing was stored of this call." if full else fix,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
        if is_for_programs(path):
            return problem_response(problem_of(gone, path), gone.headers)
        return self.refusal(gone)

    def _record(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
        self.metrics.answered(method=method, route=_route(scope), status=answer.status, seconds=seconds)
        self.log.info(
            "request",
            method=method,
            path=scope["path"],
            status=answer.status,
            seconds=round(seconds, 4),
            key=getattr(scope.get("state", {}).get("caller"), "key_id", None),
        )


class _Answer:
    """Adds headers to the answer on its way out and remembers its status; 0 until it has begun."""

    def __init__(self, send: Send, trace_id: str) -> None:
        self._send = send
        self._trace_id = trace_id
        self.request_id = uuid.uuid4().hex[:16]
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            headers["X-Trace-ID"] = self._trace_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _route(scope: Scope) -> str:
    """The path of the route with its parameters unfilled: no more of them than there are routes."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    return str(path) if path else "unmatched"
