"""The SQL store: the record of everything, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from service.store import schema
from service.store.engine import WRITES, open_engine
from service.store.unit import Unit
from service.store.workspace_scope import WorkspaceSession


class Store:
    """Open one per process; threads may share it, each with units of its own."""

    def __init__(self, engine: Engine, workspace: str | None = None, trace_id: str | None = None) -> None:
        self._engine = engine
        self._workspace = workspace
        self._trace_id = trace_id

    @classmethod
    def open(cls, url: str) -> Store:
        """A store on a database; its tables appear with `migrate`. Raises InvalidInputError for a bad URL."""
        return cls(open_engine(url))

    def within(self, workspace: str, *, trace_id: str | None = None) -> Store:
        """The same store, as one workspace sees it: whatever a unit reads or changes is that workspace's.

        Jobs that are submitted there keep `trace_id`, the trace of the request that brings them.
        """
        return Store(self._engine, workspace, trace_id)

    def migrate(self, *, to: str = "head") -> None:
        """Bring the tables to this version's form; several processes may do so at once.

        `to` stops at an earlier form, for rows that were saved in it.
        """
        schema.migrate(self._engine, to=to)

    def at_head(self) -> bool:
        """Whether the tables have this version's form."""
        return schema.at_head(self._engine)

    def revision(self) -> str | None:
        """The form that the tables have; None before the first migration."""
        return schema.revision(self._engine)

    @staticmethod
    def knows(revision: str) -> bool:
        """Whether this version has the form of that name, or had it earlier."""
        return schema.knows(revision)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction: stored as a whole at the end, or not at all where an exception leaves it."""
        with WorkspaceSession(self._engine, expire_on_commit=False) as session:
            session.bind_to(self._workspace, self._trace_id)
            yield Unit(session)
            session.commit()  # closing without it, as an exception does, rolls back

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A bare connection in one writing transaction, for rows as a whole; see `unit`."""
        with self._engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A bare connection that reads everything as of one moment, while others go on writing."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection
