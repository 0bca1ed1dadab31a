"""Rows of any table as JSON and back, by the declared types of their columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, inspect

from service.store.tables import Base
from service.store.types import UtcTime

UNSAVED = frozenset({"sign_ins", "dispatchers"})
"""Who is signed in and what works stay with the service; whoever goes on with a backup begins anew."""


def tables() -> tuple[Table, ...]:
    """Every saved table, each after those that it refers to."""
    return tuple(table for table in Base.metadata.sorted_tables if table.name not in UNSAVED)


def in_its_form(table: Table, connection: Connection) -> Table:
    """A table with the columns that it has in the database, whose form may be an earlier one.

    Columns that still have their name have their declared types.
    """
    columns = [
        Column(
            found["name"],
            declared.type if (declared := table.columns.get(found["name"])) is not None else found["type"],
        )
        for found in inspect(connection).get_columns(table.name)
    ]
    return Table(table.name, MetaData(), *columns)


def to_line(row: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON."""
    return json.dumps({name: _plain(value) for name, value in row.items()}).encode() + b"\n"


def from_line(table: Table, line: bytes) -> dict[str, Any]:
    """The inverse of `to_line`. Raises ValueError for what is no row of the table."""
    found = json.loads(line)
    if not isinstance(found, dict) or not set(found) <= set(table.columns.keys()):
        raise ValueError(f"it is no row of {table.name}")
    return {name: _of_type(table, name, value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _of_type(table: Table, name: str, value: Any) -> Any:
    if value is not None and isinstance(table.columns[name].type, UtcTime):
        return datetime.fromisoformat(value)
    return value
