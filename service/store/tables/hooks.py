"""Webhooks, what is to be sent to each, and points that are trained again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import DOCUMENT, SEQ
from service.store.workspace_scope import InWorkspace


class Webhook(InWorkspace, Base):
    """An address that is told of events; `sealed_secret` is the signing secret, encrypted.

    `failing_since` is when the first delivery failed of those since the last that got through.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "workspace_id", "seq"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    description: Mapped[str]
    events: Mapped[list[str]] = mapped_column(DOCUMENT)
    sealed_secret: Mapped[str]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]


class Delivery(InWorkspace, Base):
    """One message to one webhook, and every try at sending it: {"at", "status", "reason", "seconds"}.

    While it waits, it is due at `next_attempt_at`. Whoever takes it up moves that on by a lease and raises
    `lease_token`: killed, it is due again; late, its result no longer counts.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "seq"),
        Index(None, "state", "next_attempt_at"),
    )

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id"))
    event: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lease_token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(DOCUMENT)


class Rerun(InWorkspace, Base):
    """A point that is trained again by the service; `result` is what came out, once it has succeeded."""

    __tablename__ = "reruns"
    __table_args__ = (
        Index(None, "state", "seq"),
        Index(None, "point_id", "seq"),
        Index(None, "workspace_id", "created_at"),
    )

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    point_id: Mapped[str] = mapped_column(ForeignKey("points.id"))
    state: Mapped[str]
    epochs_done: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any] | None] = mapped_column(DOCUMENT)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None]
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_expires_at: Mapped[datetime | None]
