"""One database transaction: it reads until the first write, and then holds the right to write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from service.errors import NotFoundError
from service.store.engine import WRITES
from service.store.tables import Ablation, Job, JobBatch
from service.store.workspace_scope import DEFAULT_WORKSPACE, WorkspaceSession

Keyed = TypeVar("Keyed", Job, Ablation, JobBatch)
"""What is submitted with an idempotency key."""


class Transaction:
    """A session, the right to write and the database's clock."""

    def __init__(self, session: WorkspaceSession) -> None:
        self.session = session
        self.workspace = session.workspace or DEFAULT_WORKSPACE  # of what is submitted here
        self.trace_id = session.trace_id  # likewise
        self.sqlite = session.get_bind().dialect.name == "sqlite"
        self._writes = False

    def write(self) -> WorkspaceSession:
        """The session, once this transaction is one that writes.

        On SQLite a transaction cannot safely turn from reading to writing, so what was read so far is
        let go and a writing one begins; on PostgreSQL rows are locked one by one where it matters.
        """
        if self.sqlite and not self._writes:
            self.session.commit()
            self.session.connection(execution_options={WRITES: True})
        self._writes = True
        return self.session

    def now(self) -> datetime:
        """The time by the database's clock, the only clock that leases and records know."""
        if self.sqlite:
            text = self.session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
            return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
        moment = self.session.scalar(select(func.clock_timestamp()))
        assert isinstance(moment, datetime)  # noqa: S101 - tells the type checker what clock_timestamp returns
        return moment.astimezone(UTC)


class Repository:
    """Base of the repositories: each reads and writes one kind of thing within a transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @property
    def _session(self) -> WorkspaceSession:
        return self._transaction.session

    def _scoped(self, key: str) -> str:
        """An idempotency key as it is stored: two workspaces may use the same."""
        return f"{self._transaction.workspace} {key}"

    def _by_key(self, kind: type[Keyed], key: str | None) -> Keyed | None:
        """The row that was submitted with an idempotency key, if any."""
        if key is None:
            return None
        return self._session.scalar(select(kind).where(kind.idempotency_key == self._scoped(key)))

    def _insert(self, row: Keyed, key: str | None) -> Keyed | None:
        """Store a new row, unless a submitter with the same key was faster: then its row."""
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:
            winner = self._by_key(type(row), key)
            if winner is None:
                raise
            return winner
        return None

    def _require_job(self, job_id: str, *, with_plan: bool = False) -> Job:
        """A job. Raises NotFoundError."""
        query = select(Job).where(Job.id == job_id)
        job = self._session.scalar(query.options(undefer(Job.plan)) if with_plan else query)
        if job is None:
            raise NotFoundError(f"there is no job {job_id!r}.")
        return job
