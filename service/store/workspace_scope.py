"""Binds a session to a workspace: it reads, changes and stores rows of that workspace alone.

It is done here, for every statement, so that no repository can forget it. A session without a workspace sees
every row: the dispatcher's, which claims jobs of all of them, and the administrator's.
"""

from __future__ import annotations

from sqlalchemy import Select, event, select
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    UOWTransaction,
    mapped_column,
    with_loader_criteria,
)

DEFAULT_WORKSPACE = "default"
"""Where everything belongs that names no workspace; the migration makes it."""
_WORKSPACE = "workspace"
_TRACE = "trace"


class InWorkspace:
    """A row that belongs to a workspace; the column is repeated in every table, which spares reads a join.

    There is no foreign key: SQLite cannot add a column that has one and a default, and workspaces stay.
    """

    workspace_id: Mapped[str] = mapped_column(server_default=DEFAULT_WORKSPACE, sort_order=1)


class WorkspaceSession(Session):
    """A session whose statements are bound to `workspace`, or to none."""

    @property
    def workspace(self) -> str | None:
        """The workspace that it is bound to."""
        bound: str | None = self.info.get(_WORKSPACE)
        return bound

    @property
    def trace_id(self) -> str | None:
        """The trace of the request that it serves."""
        trace: str | None = self.info.get(_TRACE)
        return trace

    def bind_to(self, workspace: str | None, trace_id: str | None = None) -> None:
        """Bind it, before its first statement."""
        self.info[_WORKSPACE] = workspace
        self.info[_TRACE] = trace_id


@event.listens_for(WorkspaceSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    """Every SELECT, UPDATE and DELETE, in its subqueries too, finds rows of the workspace only."""
    workspace = state.session.info.get(_WORKSPACE)
    if workspace is not None:
        state.statement = state.statement.options(
            with_loader_criteria(InWorkspace, lambda row: row.workspace_id == workspace, include_aliases=True)
        )


@event.listens_for(WorkspaceSession, "before_flush")
def _stamp(session: WorkspaceSession, context: UOWTransaction, instances: object) -> None:
    """New rows belong to the session's workspace; in a session without one, to that of their parent."""
    for row in session.new:
        if isinstance(row, InWorkspace) and row.workspace_id is None:
            row.workspace_id = session.workspace or _of_parent(session, row)


def _of_parent(session: Session, row: InWorkspace) -> str:
    from service.store.tables import PARENTS  # the tables are made of this module's class

    for name, parent in PARENTS.items():
        query: Select[str] = select(parent.workspace_id).where(parent.id == getattr(row, name, None))
        found = session.scalar(query) if hasattr(row, name) else None
        if found is not None:
            return found
    return DEFAULT_WORKSPACE
