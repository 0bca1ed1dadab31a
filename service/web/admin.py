"""The pages for administrators of a workspace: its keys, its webhooks, and what was sent to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.errors import BitfrontError, InvalidInputError
from service.api.context import ApiContext, Context
from service.api.ids import KeyId, WebhookId
from service.api.keys import create_key
from service.api.webhooks import create_webhook
from service.errors import NotFoundError, WebhookDisabledError
from service.hooks.addresses import ForbiddenAddressError
from service.hooks.views import ENDS, EVENT_NAMES, WebhookSpec
from service.keys import SCOPES, KeySpec
from service.web.forms import Fields, spec_of
from service.web.rendering import Renderer

HOME = "/admin"
DELIVERIES_SHOWN = 50
_REFUSALS = (InvalidInputError, ForbiddenAddressError)


def admin_pages(renderer: Renderer) -> APIRouter:
    """The router; the layer before all routes lets administrators in alone."""
    router = APIRouter(prefix=HOME, include_in_schema=False, default_response_class=HTMLResponse)
    _add_overview(router, renderer)
    _add_webhook(router, renderer)
    return router


def _add_overview(router: APIRouter, renderer: Renderer) -> None:
    @router.get("")
    def overview(context: Context) -> Response:
        return _overview(renderer, context)

    @router.post("/keys")
    def new_key(context: Context, fields: Fields) -> Response:
        given = {name: _first(fields, name) for name in ("name", "scope", "expires")}
        try:
            made = create_key(context, spec_of(KeySpec, given))
        except _REFUSALS as error:
            return _overview(renderer, context, error=error, given=given)
        return _overview(renderer, context, shown_once={"what": f"Key bf_{made.id}", "secret": made.key})

    @router.post("/keys/{key_id}/revoke")
    def revoke(context: Context, fields: Fields, key_id: KeyId) -> Response:
        with context.store.unit() as unit:
            unit.keys.revoke(key_id, context.caller.workspace)
        return _back(HOME)

    @router.post("/webhooks")
    def new_webhook(context: Context, fields: Fields) -> Response:
        given: dict[str, Any] = {name: _first(fields, name) for name in ("url", "description")}
        given["events"] = fields.get("events", [])
        try:
            made = create_webhook(context, spec_of(WebhookSpec, given))
        except _REFUSALS as error:
            return _overview(renderer, context, error=error, given=given)
        shown = {"what": f"Secret of {made.id}", "secret": made.secret}
        return _overview(renderer, context, shown_once=shown)


def _add_webhook(router: APIRouter, renderer: Renderer) -> None:
    @router.get("/webhooks/{webhook_id}")
    def webhook(context: Context, webhook_id: str, cursor: str | None = None) -> Response:
        try:
            return _webhook(renderer, context, webhook_id, cursor)
        except (NotFoundError, InvalidInputError) as error:
            missing = isinstance(error, NotFoundError)
            title = "Not found" if missing else "Not a page"
            shown = {"title": title, "error": error, "caller": context.caller}
            return renderer.page("missing.html", shown, status=404 if missing else 422)

    @router.post("/webhooks/{webhook_id}/test")
    def test(context: Context, fields: Fields, webhook_id: WebhookId) -> Response:
        try:
            with context.store.unit() as unit:
                unit.webhooks.test(webhook_id)
        except WebhookDisabledError:
            pass  # the page says so
        return _back(f"{HOME}/webhooks/{webhook_id}")

    @router.post("/webhooks/{webhook_id}/enable")
    def enable(context: Context, fields: Fields, webhook_id: WebhookId) -> Response:
        with context.store.unit() as unit:
            unit.webhooks.enable(webhook_id)
        return _back(f"{HOME}/webhooks/{webhook_id}")

    @router.post("/webhooks/{webhook_id}/delete")
    def delete(context: Context, fields: Fields, webhook_id: WebhookId) -> Response:
        with context.store.unit() as unit:
            unit.webhooks.delete(webhook_id)
        return _back(HOME)


def _overview(
    renderer: Renderer,
    context: ApiContext,
    *,
    shown_once: Mapping[str, str] | None = None,
    error: BitfrontError | None = None,
    given: Mapping[str, Any] | None = None,
) -> Response:
    """The page, with a secret that was just made, or with what a form held that was refused."""
    with context.store.unit() as unit:
        keys, webhooks = unit.keys.all(context.caller.workspace), unit.webhooks.all()
    shown = {
        "caller": context.caller,
        "keys": keys,
        "webhooks": webhooks,
        "scopes": SCOPES,
        "event_names": EVENT_NAMES,
        "chosen": (given or {}).get("events", ENDS),
        "shown_once": shown_once,
        "error": error,
        "given": given or {},
    }
    page = renderer.page("admin.html", shown, status=422 if error else 200)
    page.headers["Cache-Control"] = "no-store"
    return page


def _webhook(renderer: Renderer, context: ApiContext, webhook_id: str, cursor: str | None) -> Response:
    with context.store.unit() as unit:
        webhook = unit.webhooks.get(webhook_id)
        page = unit.webhooks.deliveries(webhook_id, limit=DELIVERIES_SHOWN, cursor=cursor)
    shown = {"caller": context.caller, "webhook": webhook, "page": page, "first": cursor is None}
    return renderer.page("webhook.html", shown)


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0].strip()


def _back(place: str) -> Response:
    return RedirectResponse(place, status_code=303)
