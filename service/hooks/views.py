"""Webhooks as people see them, and as they ask for one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.hooks.addresses import checked_url
from service.views import View

EventName = Literal[
    "job.queued",
    "job.running",
    "job.cancelling",
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "rerun.succeeded",
    "rerun.failed",
]
"""What a webhook can be told of: each state that a job enters, and the ends of reruns."""
EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)
ENDS: tuple[EventName, ...] = ("job.succeeded", "job.failed", "job.cancelled")
TEST_EVENT = "webhook.test"
DeliveryState = Literal["waiting", "delivered", "failed"]


class WebhookSpec(BaseModel):
    """What a webhook is made of; without `events` it is told of the ends of jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    events: Annotated[list[EventName], Field(min_length=1, max_length=len(EVENT_NAMES))] = list(ENDS)
    description: Annotated[str, Field(max_length=200)] = ""

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("description")
    @classmethod
    def _printable(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("a description has no control characters; write it on one line")
        return text


class WebhookView(View):
    """A webhook, without its secret; `failing_since` is None while its deliveries get through."""

    id: str
    url: str
    events: list[str]
    description: str
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None


class NewWebhookView(WebhookView):
    """A webhook as it is answered once, when it is made: with the secret that its receiver checks by."""

    secret: str


class DeliveryAttempt(View):
    """One try at sending; `status` is that of the answer, None where there was none."""

    at: datetime
    status: int | None
    reason: str
    seconds: float


class DeliveryView(View):
    """A message to a webhook. `id` is what the receiver sees as `webhook-id`; a repeat has the same."""

    id: str
    webhook_id: str
    event: str
    state: DeliveryState
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    attempts: list[DeliveryAttempt]
