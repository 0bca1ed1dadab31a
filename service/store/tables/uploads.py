"""Files that users have brought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base
from service.store.types import DOCUMENT, SEQ
from service.store.workspace_scope import InWorkspace


class Upload(InWorkspace, Base):
    """A file of the data folder that a workspace brought; its id is that of its content."""

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("workspace_id", "id"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True)
    id: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int] = mapped_column(SEQ)
    facts: Mapped[dict[str, Any]] = mapped_column(DOCUMENT)
    created_at: Mapped[datetime]
