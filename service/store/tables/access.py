"""Workspaces, the keys that open them, and browsers that are signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import SEQ


class Workspace(Base):
    """A group of people who share jobs, and what they may use; None is no limit.

    `last_claimed_at` is when a job of it was last taken from the queue.
    """

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    max_queued_jobs: Mapped[int | None]
    max_trials_per_day: Mapped[int | None]
    max_device_hours: Mapped[float | None]
    max_stored_bytes: Mapped[int | None] = mapped_column(SEQ)
    last_claimed_at: Mapped[datetime | None]


class Key(Base):
    """An API key: of its secret only the SHA-256 is kept; `id` is the part that may be shown."""

    __tablename__ = "keys"
    __table_args__ = (Index(None, "workspace_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    scope: Mapped[str]
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class SignIn(Base):
    """A browser that is signed in with a key: of what its cookie holds only the SHA-256 is kept."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "key_id"),)

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
