"""Leases that ran out and results that came too late: recorded, listed and counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from service.store import cursors
from service.store.tables import Incident, Job
from service.store.transaction import Repository
from service.views import IncidentView, LateKind, Page

LISTING = "incidents"


class IncidentRepository(Repository):
    """Rows are only ever added."""

    def late_result(self, job_id: str, *, trial_id: str, what: LateKind, dispatcher: str, token: int) -> None:
        """Record a result that a claim brought after its lease; it was rejected. Raises NotFoundError."""
        self._transaction.write()
        self._require_job(job_id)
        row = Incident(
            job_id=job_id,
            kind="late_result",
            what=what,
            trial_id=trial_id,
            dispatcher=dispatcher,
            token=token,
            created_at=self._transaction.now(),
        )
        self._session.add(row)
        self._session.flush()

    def page(self, job_id: str, *, limit: int, cursor: str | None) -> Page[IncidentView]:
        """Those of a job, newest first. Raises NotFoundError, and InvalidInputError for a bad cursor."""
        self._require_job(job_id)
        listing = f"{LISTING}-{job_id}"
        below = cursors.start(listing, cursor)
        query = select(Incident).where(Incident.job_id == job_id, Incident.seq < below)
        rows = self._session.scalars(
            query.order_by(Incident.seq.desc()).limit(cursors.check_limit(limit) + 1)
        ).all()
        shown, more = cursors.split(listing, [(row.seq, row) for row in rows], limit)
        return Page[IncidentView](items=[_view(row) for row in shown], next_cursor=more)

    def of_trial(self, trial_id: str, *, limit: int) -> list[IncidentView]:
        """The newest results of a trial that came too late."""
        query = select(Incident).where(Incident.trial_id == trial_id)
        return [_view(row) for row in self._session.scalars(query.order_by(Incident.seq.desc()).limit(limit))]

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        rows = self._session.execute(select(Incident.kind, func.count()).group_by(Incident.kind))
        return {kind: number for kind, number in rows}  # noqa: C416 - dict() has no type for rows


def lease_expired(job: Job, moment: datetime) -> Incident:
    """What is recorded when the lease that a job still carries has run out."""
    return Incident(
        job_id=job.id,
        kind="lease_expired",
        dispatcher=job.lease_owner or "",
        token=job.lease_token,
        created_at=moment,
    )


def _view(row: Incident) -> IncidentView:
    return IncidentView(
        id=row.seq,
        job_id=row.job_id,
        kind=row.kind,
        what=row.what,
        trial_id=row.trial_id,
        dispatcher=row.dispatcher,
        token=row.token,
        created_at=row.created_at,
    )
