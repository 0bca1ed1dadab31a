"""Refuses addresses with a NUL: nothing has one in its name, and PostgreSQL takes it in no text."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.errors import HttpError
from service.api.problems import problem_of, problem_response


class PlainAddresses:
    """ASGI layer that answers 400 where the path or the query has a NUL, encoded or not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and _has_nul(scope):
            error = HttpError(400, "malformed_address", "the address has a NUL in it.", fix="Leave it out.")
            await problem_response(problem_of(error, scope["path"].replace("\0", "")))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _has_nul(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    return "\0" in scope["path"] or b"%00" in query or b"\0" in query
