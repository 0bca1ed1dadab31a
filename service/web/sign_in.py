"""Signing in and out in a browser: a form for a key, and a cookie that stands for it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.api.access import COOKIE, Gate, address_of, require_own_form
from service.api.errors import HttpError
from service.web.rendering import Renderer

START = "/jobs"
_PLACE = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")  # a path of ours: not //host, no backslash, no space


def sign_in_pages(renderer: Renderer) -> APIRouter:
    """The router of both; they need no key, so they check for themselves that our own form was sent."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/sign-in")
    def form(request: Request) -> Response:
        return _form(renderer, request.query_params.get("next", ""))

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        require_own_form(request)
        fields = parse_qs((await request.body()).decode("utf-8", errors="replace"), max_num_fields=8)
        key, wanted = (fields.get(name, [""])[0] for name in ("key", "next"))
        try:
            return await run_in_threadpool(_signed_in, request, key.strip(), wanted)
        except HttpError as error:
            return _form(renderer, wanted, error)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        require_own_form(request)
        await run_in_threadpool(_gate(request).sign_out, request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    return router


def own_place(text: str) -> str:
    """Where to go after signing in: only within this service."""
    return text if _PLACE.fullmatch(text) else START


def _signed_in(request: Request, key: str, wanted: str) -> Response:
    gate = _gate(request)
    token, seconds = gate.sign_in(gate.checked(key, address_of(request)))
    answer = RedirectResponse(own_place(wanted), status_code=303)
    settings = request.app.state.context.settings
    secure = request.url.scheme == "https" or (settings.public_url or "").startswith("https:")
    answer.set_cookie(
        COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="strict", secure=secure
    )
    return answer


def _form(renderer: Renderer, wanted: str, error: HttpError | None = None) -> Response:
    page = renderer.page(
        "sign_in.html",
        {"caller": None, "next": own_place(wanted), "error": error},
        status=error.status if error else 200,
    )
    page.headers["Cache-Control"] = "no-store"
    page.headers.update(error.headers if error else {})
    return page


def _gate(request: Request) -> Gate:
    gate = request.app.state.gate
    assert isinstance(gate, Gate)  # noqa: S101 - narrows starlette's untyped state
    return gate
