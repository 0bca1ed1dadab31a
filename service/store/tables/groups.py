"""Jobs that were submitted together: ablations and batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import DOCUMENT, SEQ
from service.store.workspace_scope import InWorkspace


class Submitted:
    """Of jobs that were submitted together: what was asked for, and when; `idempotency_key` as in jobs."""

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    spec: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    spec_digest: Mapped[str]
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Ablation(Submitted, InWorkspace, Base):
    """Jobs that were submitted together to be compared."""

    __tablename__ = "ablations"
    __table_args__ = (Index(None, "workspace_id", "seq"),)


class AblationVariant(InWorkspace, Base):
    """A job of a variant of an ablation; several groups may show the same job. `place` orders the rows."""

    __tablename__ = "ablation_variants"
    __table_args__ = (UniqueConstraint("ablation_id", "place"), Index(None, "job_id"))

    ablation_id: Mapped[str] = mapped_column(ForeignKey("ablations.id"), primary_key=True)
    group: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    place: Mapped[int]
    method: Mapped[str]
    description: Mapped[str]


class JobBatch(Submitted, InWorkspace, Base):
    """Jobs that were submitted together, whole or not at all."""

    __tablename__ = "job_batches"
    __table_args__ = (Index(None, "workspace_id", "seq"),)


class BatchJob(InWorkspace, Base):
    """A job of a batch; `place` orders them, and `overrides` tells them apart."""

    __tablename__ = "batch_jobs"
    __table_args__ = (UniqueConstraint("batch_id", "place"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("job_batches.id"))
    place: Mapped[int]
    overrides: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
