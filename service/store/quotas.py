"""What a workspace has used of its quotas, and whether further jobs still fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from service.errors import NotFoundError, QuotaExceededError
from service.store.tables import Job, Rerun, Trial, Upload, Workspace
from service.store.transaction import Repository
from service.workspaces import QuotaName, QuotaUse

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
QUEUE_PAUSE = 60
"""Seconds after which asking again is worth while where a queue is full."""
WORDS: dict[QuotaName, str] = {
    "queued_jobs": "jobs may wait at a time",
    "trials_per_day": "trials may be submitted within 24 hours",
    "device_hours": "device hours may be used within 30 days",
    "stored_bytes": "bytes of checkpoints and uploads may be stored",
}


class QuotaRepository(Repository):
    """Counts for the workspace of its transaction; at a submission, only what has a limit."""

    def uses(self) -> list[QuotaUse]:
        """Every quota of the workspace, and what is used of it. Raises NotFoundError."""
        row, now = self._row(lock=False), self._transaction.now()
        return [self._use(row, name, now) for name in WORDS]

    def require_room(self, *, trials: int, jobs: int = 1) -> None:
        """Raises QuotaExceededError where jobs of so many trials in all would use more than they may.

        Submitters of a workspace that has a limit wait for one another, so that each counts the others.
        """
        row = self._row(lock=True)
        asked: dict[QuotaName, float] = {"queued_jobs": jobs, "trials_per_day": trials}
        now = self._transaction.now()
        for name in WORDS:
            if getattr(row, f"max_{name}") is not None:
                self._require(self._use(row, name, now), asked.get(name, 0.0), now)

    def require_bytes(self, size: int) -> None:
        """Raises QuotaExceededError where so many bytes more than are there would be too many."""
        row = self._row(lock=True)
        if row.max_stored_bytes is not None:
            now = self._transaction.now()
            self._require(self._use(row, "stored_bytes", now), size, now)

    def _require(self, use: QuotaUse, asked: float, now: datetime) -> None:
        assert use.limit is not None  # noqa: S101 - the caller passes over quotas without a limit
        full = use.used + asked > use.limit if asked else use.used >= use.limit
        if not full:
            return
        counted = f"{use.used:g} are, and this would add {asked:g}" if asked else f"{use.used:g} are"
        raise QuotaExceededError(
            f"the workspace {self._transaction.workspace!r} is at its quota {use.name}: "
            f"{use.limit:g} {WORDS[use.name]}, {counted}.",
            use=use,
            retry_after=None if asked > use.limit else self._retry_after(use.name, now),
        )

    def _use(self, row: Workspace, name: QuotaName, now: datetime) -> QuotaUse:
        counts: dict[QuotaName, Callable[[datetime], float]] = {
            "queued_jobs": lambda _: (
                self._sum(func.count(), Job.state == "queued") + self._reruns(Rerun.state == "queued")
            ),
            "trials_per_day": lambda now: (
                self._sum(func.sum(Job.trials_planned), Job.created_at > now - DAY)
                + self._reruns(Rerun.created_at > now - DAY)
            ),
            "device_hours": self._device_hours,
            "stored_bytes": lambda _: self._stored_bytes(),
        }
        return QuotaUse(name=name, limit=getattr(row, f"max_{name}"), used=counts[name](now))

    def _sum(self, counted: ColumnElement[int], condition: ColumnElement[bool]) -> float:
        query = select(counted).where(Job.workspace_id == self._transaction.workspace, condition)
        return float(self._session.scalar(query) or 0)

    def _reruns(self, condition: ColumnElement[bool]) -> float:
        query = select(func.count()).where(Rerun.workspace_id == self._transaction.workspace, condition)
        return float(self._session.scalar(query) or 0)

    def _device_hours(self, now: datetime) -> float:
        recent = or_(Trial.finished_at.is_(None), Trial.finished_at > now - MONTH)
        query = (
            select(func.sum(Trial.seconds * Job.devices))
            .join(Job, Job.id == Trial.job_id)
            .where(Trial.workspace_id == self._transaction.workspace, recent)
        )
        return float(self._session.scalar(query) or 0) / 3600

    def _stored_bytes(self) -> float:
        sums = (func.sum(Trial.stored_bytes), Trial), (func.sum(Upload.bytes), Upload)
        queries = [
            select(total).where(owner.workspace_id == self._transaction.workspace) for total, owner in sums
        ]
        return sum(float(self._session.scalar(query) or 0) for query in queries)

    def _retry_after(self, name: QuotaName, now: datetime) -> int | None:
        """Seconds until the use can have fallen; the oldest that counts leaves first."""
        if name == "stored_bytes":
            return None
        if name == "queued_jobs":
            return QUEUE_PAUSE
        column, window = (Job.created_at, DAY) if name == "trials_per_day" else (Trial.finished_at, MONTH)
        owner = Job if name == "trials_per_day" else Trial
        oldest = self._session.scalar(
            select(func.min(column)).where(
                owner.workspace_id == self._transaction.workspace, column > now - window
            )
        )
        left = window if oldest is None else oldest + window - now
        return max(math.ceil(left.total_seconds()), 1)

    def _row(self, *, lock: bool) -> Workspace:
        query = select(Workspace).where(Workspace.id == self._transaction.workspace)
        row = self._session.scalar(query)
        if row is None:
            raise NotFoundError(f"there is no workspace {self._transaction.workspace!r}.")
        limited = any(getattr(row, f"max_{name}") is not None for name in WORDS)
        if lock and limited:
            self._session.scalar(query.with_for_update().execution_options(populate_existing=True))
        return row
