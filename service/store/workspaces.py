"""Workspaces: make one, look them up, set what they may use."""

from __future__ import annotations

import re

from sqlalchemy import select

from models.errors import InvalidInputError
from service.errors import NotFoundError
from service.store.tables import Workspace
from service.store.transaction import Repository
from service.workspaces import Quotas, WorkspaceView

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class WorkspaceRepository(Repository):
    """For the administrator: these rows belong to no workspace."""

    def create(self, name: str, quotas: Quotas | None = None) -> WorkspaceView:
        """Make a workspace. Raises InvalidInputError for a name that is taken or cannot be one."""
        if NAME.fullmatch(name) is None:
            raise InvalidInputError(
                f"{name[:80]!r} cannot name a workspace.",
                fix="Use 1 to 63 small letters, digits or '-', beginning with a letter or a digit.",
            )
        session = self._transaction.write()
        if session.get(Workspace, name) is not None:
            raise InvalidInputError(
                f"there is a workspace {name!r} already.", fix=f"Change it: bitfront workspaces set {name}."
            )
        row = Workspace(id=name, created_at=self._transaction.now())
        session.add(row)
        session.flush()
        return self.set_quotas(name, quotas) if quotas else _view(row)

    def set_quotas(self, name: str, quotas: Quotas) -> WorkspaceView:
        """Replace the quotas of a workspace; None is no limit. Raises NotFoundError."""
        self._transaction.write()
        row = self._require(name)
        for field, value in quotas.model_dump().items():
            setattr(row, f"max_{field}", value)
        self._session.flush()
        return _view(row)

    def get(self, name: str) -> WorkspaceView:
        """A workspace. Raises NotFoundError."""
        return _view(self._require(name))

    def all(self) -> list[WorkspaceView]:
        """All of them, by name."""
        return [_view(row) for row in self._session.scalars(select(Workspace).order_by(Workspace.id))]

    def _require(self, name: str) -> Workspace:
        row = self._session.get(Workspace, name)
        if row is None:
            fix = f"Make it: bitfront workspaces create {name}"
            raise NotFoundError(f"there is no workspace {name[:80]!r}.", fix=fix)
        return row


def _view(row: Workspace) -> WorkspaceView:
    limits = {name: getattr(row, f"max_{name}") for name in Quotas.model_fields}
    return WorkspaceView(id=row.id, created_at=row.created_at, quotas=Quotas(**limits))
