"""Who works on the queue, and what went wrong between a job and those who worked on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import DOCUMENT, SEQ
from service.store.workspace_scope import InWorkspace


class Dispatcher(Base):
    """A process that works on the queue, as it last told of itself; it takes its row away when it ends.

    `ray` is what it knew of its Ray at `ray_seen_at`: nodes, and CPUs and GPUs in all and in use.
    """

    __tablename__ = "dispatchers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    lease_seconds: Mapped[float]
    ray: Mapped[dict[str, Any] | None] = mapped_column(DOCUMENT)
    ray_seen_at: Mapped[datetime | None]


class Incident(InWorkspace, Base):
    """A lease that ran out, or a result that came after it: whose, under which token, and when.

    `what` says of a late result which it was: an epoch, a success, a stop or a failure.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "job_id", "seq"), Index(None, "kind"))

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[str]
    what: Mapped[str | None]
    trial_id: Mapped[str | None]
    dispatcher: Mapped[str]
    token: Mapped[int]
    created_at: Mapped[datetime]
