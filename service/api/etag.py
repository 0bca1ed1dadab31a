"""Entity tags: a client that has an answer already is told so with 304 instead of being sent it again.

The tag is a hash of the body, and weak: it says that two bodies are equal, not that headers are. Only JSON
that is answered with 200 has one; events, CSV and files pass without. What an answer to a GET depends on
beside its address is told by `Vary` of all of them.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CACHING = "private, no-cache"
"""Keep it if you like, but ask each time."""
VARY = "Accept, Authorization, Cookie"
"""JSON is not CSV, and each workspace has answers of its own."""
KEPT_BY_304 = (b"cache-control", b"vary", b"etag", b"location")


class EntityTags:
    """ASGI layer next to the endpoints."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tag the answer of a GET."""
        if scope["type"] == "http" and scope["method"] == "GET":
            await self.app(scope, receive, _Tagged(scope, send).send)
        else:
            await self.app(scope, receive, send)


class _Tagged:
    """Holds a JSON answer back until its body is whole; lets any other pass."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._wanted = Headers(scope=scope).get("if-none-match", "")
        self._send = send
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Vary", VARY)
        if message["type"] == "http.response.start" and _is_json(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._answer(self._start, b"".join(self._body))
        else:
            await self._send(message)

    async def _answer(self, start: Message, body: bytes) -> None:
        tag = tag_of(body)
        headers = MutableHeaders(scope=start)
        headers["ETag"] = tag
        headers.setdefault("Cache-Control", CACHING)
        if matches(self._wanted, tag):
            kept = [(name, value) for name, value in start["headers"] if name.lower() in KEPT_BY_304]
            start, body = {**start, "status": 304, "headers": kept}, b""
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def tag_of(body: bytes) -> str:
    """The weak tag of a body."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def matches(wanted: str, tag: str) -> bool:
    """Whether an `If-None-Match` header names a tag, compared weakly as RFC 9110 wants it."""
    named = [one.strip().removeprefix("W/") for one in wanted.split(",")]
    return wanted.strip() == "*" or tag.removeprefix("W/") in named


def _is_json(start: Message) -> bool:
    declared = Headers(raw=start["headers"]).get("content-type", "")
    return bool(start["status"] == 200) and declared.partition(";")[0].strip() == "application/json"
