"""The calls of the client about keys and webhooks; they take a key with the scope `admin`."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from service.hooks.views import DeliveryView, NewWebhookView, WebhookView
from service.keys import KeyView, NewKeyView
from service.views import Page

Answer = TypeVar("Answer", bound=BaseModel)
WEBHOOKS = "/v1/webhooks"
KEYS = "/v1/keys"


class AdminCalls(Protocol):
    """What the client can do for an administrator; it brings the calls that are abstract here.

    What makes something new is asked once only: after a lost answer, look whether it is there.
    """

    def keys(self) -> list[KeyView]:
        """The keys of the workspace, newest first."""
        return TypeAdapter(list[KeyView]).validate_json(self._call("GET", KEYS).content)

    def create_key(self, *, name: str = "", scope: str = "submit", expires: str = "90d") -> NewKeyView:
        """Make a key; `key` of the answer is all of it, and is nowhere else afterwards."""
        return self._made(NewKeyView, KEYS, {"name": name, "scope": scope, "expires": expires})

    def revoke_key(self, key_id: str) -> KeyView:
        """End a key for good."""
        return self._parsed(KeyView, self._call("POST", f"{KEYS}/{key_id}/revoke"))

    def webhooks(self) -> list[WebhookView]:
        """The webhooks of the workspace, the oldest first."""
        return TypeAdapter(list[WebhookView]).validate_json(self._call("GET", WEBHOOKS).content)

    def webhook(self, webhook_id: str) -> WebhookView:
        """A webhook."""
        return self._get(WebhookView, f"{WEBHOOKS}/{webhook_id}")

    def create_webhook(
        self, url: str, *, events: Sequence[str] | None = None, description: str = ""
    ) -> NewWebhookView:
        """Make a webhook, told of the ends of jobs unless `events` says otherwise; `secret` is shown once."""
        chosen = {} if events is None else {"events": list(events)}
        return self._made(NewWebhookView, WEBHOOKS, {"url": url, "description": description, **chosen})

    def delete_webhook(self, webhook_id: str) -> None:
        """Take a webhook away."""
        self._once("DELETE", f"{WEBHOOKS}/{webhook_id}")

    def enable_webhook(self, webhook_id: str) -> WebhookView:
        """Send to a disabled webhook again from now on."""
        return self._parsed(WebhookView, self._call("POST", f"{WEBHOOKS}/{webhook_id}/enable"))

    def test_webhook(self, webhook_id: str) -> DeliveryView:
        """Send a message that says nothing, once; `deliveries` says what came of it."""
        return self._parsed(DeliveryView, self._once("POST", f"{WEBHOOKS}/{webhook_id}/test"))

    def deliveries(
        self, webhook_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DeliveryView]:
        """A page of what was and is to be sent, newest first."""
        path = f"{WEBHOOKS}/{webhook_id}/deliveries"
        return self._get(Page[DeliveryView], path, limit=limit, cursor=cursor)

    def _made(self, kind: type[Answer], path: str, body: Mapping[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json"}
        return self._parsed(
            kind, self._once("POST", path, content=json.dumps(body).encode(), headers=headers)
        )

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _once(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...
