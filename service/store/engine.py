"""Connect to SQLite or PostgreSQL so that a commit is durable and writers take turns.

SQLite runs in WAL mode with full synchronisation. A transaction there that is going to write starts with
BEGIN IMMEDIATE: it waits for its turn instead of failing half-way, and what it has read stays true.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from models.errors import InvalidInputError

WRITES = "bitfront_writes"
"""Execution option of a connection whose next transaction writes."""

BUSY_MILLISECONDS = 30_000
WAL_RETRY_SECONDS = 0.02
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://...`. Raises InvalidInputError for any other URL."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=30)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unreadable")
    kind = parsed.get_backend_name()
    if kind == "postgresql" or (kind == "sqlite" and parsed.database not in {None, "", ":memory:"}):
        return parsed
    raise InvalidInputError(
        "the database URL is neither a SQLite file nor a PostgreSQL server.",
        fix="Use sqlite:///path/to/file.db or postgresql://user@host/name.",
    )


def _sqlite(url: URL) -> Engine:
    Path(str(url.database)).expanduser().absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000}, max_overflow=30)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver would do so too late
    for pragma in PRAGMAS:
        connection.execute(pragma)
    _enter_wal(connection)


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL mode, which fails at once, whatever the timeout, while another does so."""
    deadline = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(WAL_RETRY_SECONDS)
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
