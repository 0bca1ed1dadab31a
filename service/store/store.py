"""The SQL store: the record of everything, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from service.store import schema
from service.store.engine import open_engine
from service.store.unit import Unit
from service.store.workspace_scope import WorkspaceSession


class Store:
    """Open one per process; threads may share it, each with units of its own."""

    def __init__(self, engine: Engine, workspace: str | None = None) -> None:
        self._engine = engine
        self._workspace = workspace

    @classmethod
    def open(cls, url: str) -> Store:
        """A store on a database; its tables appear with `migrate`. Raises InvalidInputError for a bad URL."""
        return cls(open_engine(url))

    def within(self, workspace: str) -> Store:
        """The same store, as one workspace sees it: whatever a unit reads or changes is that workspace's."""
        return Store(self._engine, workspace)

    def migrate(self) -> None:
        """Bring the tables to this version's form; several processes may do so at once."""
        schema.migrate(self._engine)

    def at_head(self) -> bool:
        """Whether the tables have this version's form."""
        return schema.at_head(self._engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction: stored as a whole at the end, or not at all where an exception leaves it."""
        with WorkspaceSession(self._engine, expire_on_commit=False) as session:
            session.bind_to(self._workspace)
            yield Unit(session)
            session.commit()  # closing without it, as an exception does, rolls back
