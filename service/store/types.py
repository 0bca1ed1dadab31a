"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

SEQ = BigInteger().with_variant(Integer(), "sqlite")
"""A sequence key; SQLite numbers rows by itself only under the name INTEGER."""

DOCUMENT = JSON()
"""JSON kept as written: layers stay in network order and numbers keep their digits."""

OPTIONAL_DOCUMENT = JSON(none_as_null=True)
"""The same, empty where there is none."""

QUERIED = JSON().with_variant(JSONB(), "postgresql")
"""JSON that queries look into; PostgreSQL may reorder its keys."""


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite has no time zones, so it stores the UTC wall time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware times only, so that a local time never slips in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must carry its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Times come back in UTC whatever the time zone of the server."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
