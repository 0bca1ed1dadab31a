"""Webhooks over REST: make one, look at it and at what was sent to it, test, enable and delete it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.body import JsonBytes, parse_as
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_listing, csv_table, wants_csv
from service.api.ids import WebhookId
from service.api.queries import Pages, TableForm
from service.hooks.addresses import AddressRules, ForbiddenAddressError
from service.hooks.secrets import SecretBox, new_secret
from service.hooks.views import DeliveryView, NewWebhookView, WebhookSpec, WebhookView
from service.views import Page

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": WebhookSpec.model_json_schema()}},
    }
}


@router.post("", status_code=201, openapi_extra=_BODY)
def create(context: Context, raw: JsonBytes, response: Response) -> NewWebhookView:
    """Make a webhook; its `secret` is answered this once."""
    made = create_webhook(context, parse_as(WebhookSpec, raw))
    response.headers["Location"] = f"/v1/webhooks/{made.id}"
    response.headers["Cache-Control"] = "no-store"
    return made


@router.get("", response_model=list[WebhookView])
def listing(context: Context, query: TableForm, request: Request) -> list[WebhookView] | Response:
    """Every webhook of the workspace, the oldest first."""
    with context.store.unit() as unit:
        found = unit.webhooks.all()
    return csv_table(found, tables.WEBHOOKS, "webhooks") if wants_csv(query.format, request) else found


@router.get("/{webhook_id}")
def one(context: Context, webhook_id: WebhookId) -> WebhookView:
    """A webhook, and since when nothing has got through to it."""
    with context.store.unit() as unit:
        return unit.webhooks.get(webhook_id)


@router.get("/{webhook_id}/deliveries", response_model=Page[DeliveryView])
def deliveries(
    context: Context, webhook_id: WebhookId, query: Pages, request: Request
) -> Page[DeliveryView] | Response:
    """What was and is to be sent, newest first, with every try and what came of it."""

    def read(limit: int, cursor: str | None) -> Page[DeliveryView]:
        with context.store.unit() as unit:
            return unit.webhooks.deliveries(webhook_id, limit=limit, cursor=cursor)

    if wants_csv(query.format, request):
        return csv_listing(read, query, tables.DELIVERIES, f"{webhook_id}-deliveries")
    return read(query.limit, query.cursor)


@router.post("/{webhook_id}/test", status_code=202)
def test(context: Context, webhook_id: WebhookId) -> DeliveryView:
    """Send a message of type `webhook.test`, once; the deliveries say what came of it."""
    with context.store.unit() as unit:
        return unit.webhooks.test(webhook_id)


@router.post("/{webhook_id}/enable")
def enable(context: Context, webhook_id: WebhookId) -> WebhookView:
    """Send to a disabled webhook again from now on. Asking again changes nothing."""
    with context.store.unit() as unit:
        return unit.webhooks.enable(webhook_id)


@router.delete("/{webhook_id}", status_code=204)
def delete(context: Context, webhook_id: WebhookId) -> None:
    """Take a webhook away, with what was and was to be sent to it."""
    with context.store.unit() as unit:
        unit.webhooks.delete(webhook_id)


def create_webhook(context: ApiContext, spec: WebhookSpec) -> NewWebhookView:
    """A new webhook of the caller's workspace. Raises ForbiddenAddressError, as far as can be seen now."""
    try:
        AddressRules.of(context.settings).check_url(spec.url)
    except ForbiddenAddressError as error:
        raise ForbiddenAddressError(error.message, fix=error.fix, pointer="/url") from None
    secret = new_secret()
    with context.store.unit() as unit:
        made = unit.webhooks.create(spec, sealed_secret=SecretBox.of(context.settings).seal(secret))
    return NewWebhookView(**made.model_dump(), secret=secret)
