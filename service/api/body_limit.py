"""Refuses a body that is too large before it is read whole, whether or not its length was declared."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import HttpError
from service.api.problems import problem_of, problem_response

UPLOADS = "/v1/uploads"


class BodyLimit:
    """ASGI layer that counts the bytes of a body as they arrive."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_upload_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as it passes; answer 413 at once when its declared length is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.max_upload_bytes if scope["path"] == UPLOADS else self.max_bytes
        if _declared_length(scope) > most:
            await problem_response(problem_of(_too_large(most), scope["path"]))(scope, receive, send)
        else:
            await self.app(scope, _counted(receive, most), send)


def _counted(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> HttpError:
    return HttpError(
        413,
        "body_too_large",
        f"the body is larger than {most} bytes.",
        fix="Send less.",
        headers={"Connection": "close"},  # the rest of the body is not read
    )


def _declared_length(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else 0
